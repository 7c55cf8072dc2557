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
from mixarray.accelerator.model import Accelerator, Buffer
from mixarray.trace.workload import Group

HALF = 2


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
    changed = {"activation": _half(buffers.activation)}
    if weights:
        changed["weight"] = _half(buffers.weight)
    return accelerator.model_copy(update={"buffers": buffers.model_copy(update=changed)})


def _half(buffer: Buffer) -> Buffer:
    return buffer.model_copy(update={"capacity_kib": buffer.capacity_kib // HALF})
