"""Bits per layer: which weights and activations have other bits than the model's options say. No torch.

A branch is not a width. A Plan's windows run in a branch, named by the options' bits (8 and 4; 8 outside the blocks);
the codes of a tensor in that branch have its own bits, which an Allocation may change tensor by tensor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixarray.atomic import atomic_file
from mixarray.errors import InputError
from mixarray_traces.json_file import read_json

FORMAT = "mixarray allocation 1"
LEAST_BITS, MOST_BITS = 2, 8
_WHERE = "allocation"


@dataclass(frozen=True)
class Allocation:
    """Bits of what differs from the options: weights by operator name, activations by tensor name, sorted.

    `stages.0.blocks.0.attn.qkv` names a weight; `stages.0.blocks.0.attn.qkv.input`, `stages.0.blocks.0.attn.qk.left`
    name activations. InputError, naming the entry, for bits outside 2 to 8.
    """

    weights: Mapping[str, int]
    activations: Mapping[str, int]

    def __post_init__(self) -> None:
        for part in ("weights", "activations"):
            entries: Mapping[str, int] = getattr(self, part)
            for name, bits in entries.items():
                if type(bits) is not int or not LEAST_BITS <= bits <= MOST_BITS:
                    raise InputError(_WHERE, f"{bits!r} bits; allowed: {LEAST_BITS} to {MOST_BITS}", f"{part}.{name}")
            object.__setattr__(self, part, dict(sorted(entries.items())))

    def __hash__(self) -> int:
        return hash((tuple(self.weights.items()), tuple(self.activations.items())))

    def check_names(self, operators: Iterable[str], tensors: Iterable[str], where: str = _WHERE) -> None:
        """Raise InputError for the first name that is no linear operator, or no activation tensor, of a model."""
        for part, known in (("weights", set(operators)), ("activations", set(tensors))):
            for name in sorted(getattr(self, part).keys() - known):
                what = "linear operator" if part == "weights" else "activation tensor"
                raise InputError(where, f"the model has no such {what}", f"{part}.{name}")

    def to_json(self) -> dict[str, dict[str, int]]:
        """Plain JSON values."""
        return {"weights": dict(self.weights), "activations": dict(self.activations)}


@dataclass(frozen=True, slots=True)
class LayerBits:
    """The bits of every weight and activation of a model.

    weight_bits: of the blocks. branch_bits: of the blocks' activations, the high branch first; they name the branches.
    other_bits: of weights and activations outside the blocks, a branch of their own.
    """

    weight_bits: int
    branch_bits: tuple[int, ...]
    other_bits: int
    allocation: Allocation | None = None

    def weight(self, operator: str) -> int:
        """Bits of the weight of a linear operator."""
        given = None if self.allocation is None else self.allocation.weights.get(operator)
        return self._own_weight(operator) if given is None else given

    def activation(self, tensor: str) -> dict[int, int]:
        """Bits of an activation tensor by branch, the high one first; a lower branch never has more than its name."""
        branches = self.branch_bits if in_block(tensor) else (self.other_bits,)
        given = None if self.allocation is None else self.allocation.activations.get(tensor)
        if given is None:
            return {branch: branch for branch in branches}
        return {branch: given if branch == branches[0] else min(given, branch) for branch in branches}

    def needed(self) -> Allocation | None:
        """The allocation without the entries that change nothing; None where nothing is left."""
        if self.allocation is None:
            return None
        own = LayerBits(self.weight_bits, self.branch_bits, self.other_bits)
        weights = {name: bits for name, bits in self.allocation.weights.items() if bits != own.weight(name)}
        activations = {
            name: bits
            for name, bits in self.allocation.activations.items()
            if self.activation(name) != own.activation(name)
        }
        return Allocation(weights, activations) if weights or activations else None

    def _own_weight(self, operator: str) -> int:
        return self.weight_bits if in_block(operator) else self.other_bits


def in_block(name: str) -> bool:
    """Whether an operator or tensor belongs to a transformer block: only there are two branches."""
    return ".blocks." in name


def operands_of(operators: Iterable[str]) -> list[str]:
    """The activation tensors that linear operators and the products of their attention bring in."""
    tensors: list[str] = []
    for name in operators:
        tensors.append(f"{name}.input")
        if name.endswith((".attn.qkv", ".attn.qkx")):
            stem = name[: -len("qkv")]
            tensors += [f"{stem}{product}.{side}" for product in ("qk", "av") for side in ("left", "right")]
    return tensors


def allocation_from_json(entry: Any, where: str = _WHERE) -> Allocation:
    """What `Allocation.to_json` gave; InputError, with `where` and the field, for anything else."""
    if not isinstance(entry, dict) or entry.keys() != {"weights", "activations"}:
        raise InputError(where, "needs `weights` and `activations`, and nothing else", _WHERE)
    for part, entries in entry.items():
        if not isinstance(entries, dict):
            raise InputError(where, "is no object", part)
    try:
        return Allocation(entry["weights"], entry["activations"])
    except InputError as error:
        raise InputError(where, error.message, error.field) from None


def read_allocation(path: Path | str) -> Allocation:
    """Read an allocation's file; InputError, naming file and field, where it is missing or wrong."""
    found = read_json(Path(path), "of an allocation")
    if found.pop("format", None) != FORMAT:
        raise InputError(str(path), f"is not {FORMAT!r}", "format")
    return allocation_from_json(found, str(path))


def write_allocation(allocation: Allocation, path: Path | str) -> None:
    """Write an allocation's file, whole or not at all, replacing an earlier one."""
    text = json.dumps({"format": FORMAT} | allocation.to_json(), indent=1) + "\n"
    with atomic_file(Path(path)) as work:
        work.write_text(text, encoding="utf-8")
