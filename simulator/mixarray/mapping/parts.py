"""How the groups of a GEMM share the arrays: which parts a chain has, and which of them run at the same time.

Every group runs on the array that serves its operands best (`Accelerator.array_for`). Then `mapping.group_order` says:

- weight_resident: groups of one array form one part, so that all of them find a stationary tile in the array; parts of
  different arrays follow each other.
- sequential: every group is a part, and passes through the whole operator before the next one begins.
- concurrent: groups of one array form one part, and the parts of both arrays run at the same time.

A *section* is the parts that run together. They share the activation buffer: each has half of every slot. Weights that
fit a slot of their buffer as a whole are fetched once and serve both; of others every part fetches its own into its
half of every slot. The vector unit and the memory channels serve both in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mixarray.accelerator.enums import GroupOrder
from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.trace.workload import Group

TOGETHER = 2
"""Parts of a section, where there are several: each has a half."""


@dataclass(frozen=True, slots=True)
class Part:
    """Groups of a GEMM (None: all of them, or no GEMM) on one array."""

    array: int
    groups: tuple[int, ...] | None


Section = tuple[Part, ...]


def sections(groups: Sequence[Group], accelerator: Accelerator) -> tuple[Section, ...]:
    """The parts of a GEMM in order; those of a section run at the same time.

    Raises InputError if no array serves a group's operands.
    """
    arrays = [accelerator.array_for(group.stream_bits, group.stationary_bits)[0] for group in groups]
    order = accelerator.mapping.group_order
    if order is GroupOrder.SEQUENTIAL:
        parts = [Part(array, (number,)) for number, array in enumerate(arrays)]
    else:
        parts = [
            Part(array, tuple(number for number, other in enumerate(arrays) if other == array))
            for array in dict.fromkeys(arrays)
        ]
    if len(parts) == 1:
        return ((Part(parts[0].array, None),),)
    return (tuple(parts),) if order is GroupOrder.CONCURRENT else tuple((part,) for part in parts)


def halved(accelerator: Accelerator, weights: bool) -> Accelerator:
    """The accelerator as one of two parts that run together sees it: half of the activation buffer, and of the weight
    buffer where each fetches `weights` for itself.
    """
    buffers = accelerator.buffers
    changed = {"activation": buffers.activation.share(TOGETHER)}
    if weights:
        changed["weight"] = buffers.weight.share(TOGETHER)
    return accelerator.model_copy(update={"buffers": buffers.model_copy(update=changed)})


def told_of_halves(error: InputError, whole: Accelerator, seen: Accelerator) -> InputError:
    """A refusal of what `seen` cannot hold; where it sees half of a buffer that is too small, that is said too."""
    buffers = (
        ("buffers.activation", whole.buffers.activation, seen.buffers.activation),
        ("buffers.weight", whole.buffers.weight, seen.buffers.weight),
    )
    halves = [
        name
        for name, all_of_it, part in buffers
        if part.capacity_bits < all_of_it.capacity_bits and error.field in ("buffers", f"{name}.capacity_kib")
    ]
    if not halves:
        return error
    message = (
        f"each of two arrays that run together has half of {' and '.join(halves)}: {error.message}; with "
        f"mapping.group_order={GroupOrder.SEQUENTIAL} or {GroupOrder.WEIGHT_RESIDENT} each has all of it in turn"
    )
    return InputError(error.where, message, error.field)
