"""An allocation of one Swin transformer's bits on another: a stated rule, for hardware that nobody has a loss for.

A layer takes the bits of the layer of its name. A block that the first model lacks takes those of the block that lies
as far before the end of the last stage as it lies before the end of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mixarray.errors import InputError
from mixarray_traces.quantization.allocation import Allocation

_BLOCK = re.compile(r"stages\.(\d+)\.blocks\.(\d+)\.(.+)")


def transferred(allocation: Allocation, depths: Sequence[int]) -> Allocation:
    """The allocation for a model with so many blocks a stage; InputError where it names none of the blocks' layers."""
    if not allocation.weights and not allocation.activations:
        raise InputError("transfer", "names no layer", "allocation")
    return Allocation(_moved(allocation.weights, depths), _moved(allocation.activations, depths))


def _moved(bits: Mapping[str, int], depths: Sequence[int]) -> Mapping[str, int]:
    known: dict[tuple[int, int], dict[str, int]] = {}
    for name, width in bits.items():
        found = _BLOCK.fullmatch(name)
        if found is None:
            raise InputError("transfer", f"{name} lies in no block", "allocation")
        known.setdefault((int(found[1]), int(found[2])), {})[found[3]] = width
    if not known:
        return {}
    last = max(known)
    moved: dict[str, int] = {}
    for stage, depth in enumerate(depths):
        for block in range(depth):
            place = (stage, block)
            source = known[place] if place in known else known[last[0], last[1] - (depth - 1 - block)]
            moved |= {f"stages.{stage}.blocks.{block}.{rest}": width for rest, width in source.items()}
    return moved
