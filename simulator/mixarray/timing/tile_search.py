"""The mapper that Bit Fusion's simulator and ANT's share: tiles of powers of two, every order of the loops over tiles.

Traffic is counted by promotion: from the innermost loop outwards, a tile that a loop changes grows by the loop's count
as long as it fits in half of its buffer; from the first loop where it does not, every loop fetches it again. Source:
the rule of `get_stats_fast` and `_optimize_for_order` in the authors' repositories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
"""One number per tiling."""


class Loop(StrEnum):
    """Loops over tiles: inputs of the batch, columns and rows of the output map, input and output channels."""

    BATCH = "batch"
    WIDTH = "width"
    HEIGHT = "height"
    INPUTS = "inputs"
    OUTPUTS = "outputs"


class Tensor(StrEnum):
    """What is kept in the buffers."""

    WEIGHTS = "weights"
    ACTIVATIONS = "activations"
    SUMS = "sums"


CHANGES: Mapping[Tensor, frozenset[Loop]] = {
    Tensor.WEIGHTS: frozenset({Loop.INPUTS, Loop.OUTPUTS}),
    Tensor.ACTIVATIONS: frozenset({Loop.BATCH, Loop.WIDTH, Loop.HEIGHT, Loop.INPUTS}),
    Tensor.SUMS: frozenset({Loop.BATCH, Loop.WIDTH, Loop.HEIGHT, Loop.OUTPUTS}),
}
"""The loops that go on to another tile of a tensor."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A matrix product as a 1x1 convolution of stride 1: `batch` maps of side x side pixels. A plain one has side 1."""

    batch: int
    side: int
    inputs: int
    outputs: int
    activation_bits: int
    weight_bits: int


@dataclass(frozen=True, slots=True)
class Tilings:
    """All tilings of a layer: the sizes of a tile and how many tiles each loop has. Tiles are as wide as high."""

    batch: Integers
    side: Integers
    inputs: Integers
    outputs: Integers
    counts: Mapping[Loop, Integers]

    @property
    def tiles(self) -> Integers:
        """Tiles of a layer."""
        return reduce(np.multiply, (self.counts[loop] for loop in Loop))


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bits of one tensor between buffer and DRAM: in all, and the part that stays longest (first in, or last out)."""

    all_bits: Integers
    kept_bits: Integers


@dataclass(frozen=True, slots=True)
class TileTiming:
    """Cycles of the best tiling, and those of them in which the array waits for DRAM."""

    total_cycles: int
    stall_cycles: int


def list_tilings(layer: Layer, output_unit: int) -> Tilings:
    """Tiles of powers of two, cut at the layer's size; those of output channels are multiples of `output_unit`."""
    grid = product(
        _sizes(layer.batch, 1), _sizes(layer.side, 1), _sizes(layer.inputs, 1), _sizes(layer.outputs, output_unit)
    )
    batch, side, inputs, outputs = np.array(list(grid), dtype=np.int64).T
    counts = {
        Loop.BATCH: -(-layer.batch // batch),
        Loop.WIDTH: -(-layer.side // side),
        Loop.HEIGHT: -(-layer.side // side),
        Loop.INPUTS: -(-layer.inputs // inputs),
        Loop.OUTPUTS: -(-layer.outputs // outputs),
    }
    return Tilings(batch, side, inputs, outputs, counts)


def _sizes(whole: int, unit: int) -> list[int]:
    sizes = [unit]
    while sizes[-1] < whole:
        sizes.append(2 * sizes[-1])
    return [min(size, whole) for size in sizes]


def loop_orders(tilings: Tilings) -> Iterator[tuple[Loop, ...]]:
    """Every order of the loops that any tiling has, innermost first."""
    return permutations(loop for loop in Loop if (tilings.counts[loop] > 1).any())


def fetch(tilings: Tilings, order: tuple[Loop, ...], tensor: Tensor, tile_bits: Integers, half_bits: int) -> Fetched:
    """What one order of loops (innermost first) moves of a tensor whose tiles may take `half_bits` together."""
    moved, kept = tile_bits, tile_bits
    fits = np.ones(len(tile_bits), dtype=bool)
    for loop in order:
        changed = loop in CHANGES[tensor]
        moved = np.where(fits & (not changed), moved, moved * tilings.counts[loop])
        if changed:
            fits = fits & (moved <= half_bits)
            kept = np.where(fits, moved, kept)
    return Fetched(moved, kept)


Traffic = Callable[[tuple[Loop, ...]], tuple[Integers, Integers, Integers]]
"""For an order of loops: bits moved in all, and of these the first fill and the last drain."""


def search(
    tilings: Tilings, traffic: Traffic, compute: Integers, allowed: NDArray[np.bool_], bandwidth: int
) -> TileTiming:
    """The least cycles of any tiling and order, and of those the least that stall.

    All traffic but first fill and last drain goes on beside the computation, at `bandwidth` bits per cycle. Raises
    ValueError if no tiling is allowed.
    """
    if not allowed.any():
        raise ValueError("no tile fits in half of its buffer")
    best: list[tuple[int, int]] = []
    for order in loop_orders(tilings):
        moved, filled, drained = traffic(order)
        beside = -(-(moved - filled - drained) // bandwidth)
        stalls = np.maximum(0, beside - compute) + -(-filled // bandwidth) + -(-drained // bandwidth)
        total = np.where(allowed, compute + stalls, np.iinfo(np.int64).max)
        first = np.lexsort((stalls, total))[0]
        best.append((int(total[first]), int(stalls[first])))
    return TileTiming(*min(best))
