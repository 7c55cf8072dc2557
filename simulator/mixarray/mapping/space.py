"""The mapping space of one GEMM: tile sizes at fold multiples, six loop orders, and which buffers are divided.

Along each dimension, for every number of tiles t = 1, 2, 3, ... the even tile ceil(D / t), rounded up to whole folds;
equal sizes count once, and the whole dimension is among them. A fold is what the array holds at once along the
dimensions that lie on it; along the one that streams, as many steps as the array has rows, which hide a load.

| dataflow | M | N | K |
|---|---|---|---|
| weight-stationary | R | C | R, times the slots of the widest mode |
| input-stationary | C | R | R, times the slots of the widest mode |
| output-stationary | R | C | R |

Points that mean the same are one point. Loops of one tile do not count in an order: of equal orders the first in
lexical order stands for all. Where all weights are one tile, or both operands are activations, nothing is fetched
beside what is used: dividing the weight buffer or not is then the same, and the divided form (if the tile fits it)
stands for both, because it leaves a slot to the next operator. Points whose tiles do not fit their buffers are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mixarray.accelerator.enums import Dataflow
from mixarray.mapping.amounts import ceil_div
from mixarray.mapping.choice import Choice, Doubled, LoopOrder
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.demand import Demand
from mixarray.mapping.tiles import column_widths, even_widths

ORDERS = tuple(sorted(LoopOrder))
DIVISIONS = tuple(sorted(Doubled))


@dataclass(frozen=True, slots=True)
class Folds:
    """Sizes of a fold along M, N and K."""

    m: int
    n: int
    k: int


def fold_sizes(demand: Demand, cuts: Cuts) -> Folds:
    """What a fold holds; K so that every mode of the GEMM cuts it in whole folds."""
    array = cuts.array
    depth = math.lcm(*(run.mode.fold_depth(array.rows) for run in demand.runs if run.mode is not None))
    match array.dataflow:
        case Dataflow.WEIGHT_STATIONARY:
            return Folds(array.rows, array.columns, depth)
        case Dataflow.INPUT_STATIONARY:
            return Folds(array.columns, array.rows, depth)
        case Dataflow.OUTPUT_STATIONARY:
            return Folds(array.rows, array.columns, array.rows)


def even_tiles(length: int, fold: int) -> tuple[int, ...]:
    """The even tile for every number of tiles, in whole folds, each size once, in rising order."""
    folds = ceil_div(length, fold)
    return tuple(sorted({min(length, ceil_div(folds, tiles) * fold) for tiles in range(1, folds + 1)}))


def orders(tiles: tuple[int, int, int]) -> tuple[LoopOrder, ...]:
    """The orders that differ for so many tiles of M, N and K."""
    counts = dict(zip("mnk", tiles, strict=True))
    first: dict[str, LoopOrder] = {}
    for order in ORDERS:
        first.setdefault("".join(axis for axis in order.value if counts[axis] > 1), order)
    return tuple(first.values())


def divides_rows(doubled: Doubled) -> bool:
    """Whether the activation buffer is divided."""
    return doubled in (Doubled.BOTH, Doubled.ROWS)


def divides_weights(doubled: Doubled) -> bool:
    """Whether the weight buffer is divided."""
    return doubled in (Doubled.BOTH, Doubled.WEIGHTS)


@dataclass(frozen=True)
class Space:
    """All points of one GEMM on one array."""

    demand: Demand
    cuts: Cuts

    def row_sizes(self) -> tuple[int, ...]:
        """Tiles of M; the undivided one is the operator's m."""
        demand = self.demand
        rows = demand.elements[0][0].rows if demand.elements else demand.rows
        return (*even_tiles(rows, fold_sizes(demand, self.cuts).m)[:-1], demand.m)

    def column_sizes(self) -> tuple[int, ...]:
        """Tiles of N; only N where operators after the GEMM need whole rows."""
        demand = self.demand
        return (demand.n,) if demand.whole_rows else even_tiles(demand.n, fold_sizes(demand, self.cuts).n)

    def depth_sizes(self) -> tuple[int, ...]:
        """Tiles of K; only K where operators before the GEMM need whole rows, or operands of an element are on the chip
        as a whole anyway (cutting K would only send sums out and back).
        """
        demand = self.demand
        whole = bool(demand.before or demand.elements)
        return (demand.k,) if whole else even_tiles(demand.k, fold_sizes(demand, self.cuts).k)

    def points(self) -> Iterator[Choice]:
        """All points once, in no particular order."""
        tiles_of = {rows: self.row_tiles(rows) for rows in self.row_sizes()}
        for rows, tm in tiles_of.items():
            for columns in self.column_sizes():
                for depth in self.depth_sizes():
                    tn, tk = ceil_div(self.demand.n, columns), ceil_div(self.demand.k, depth)
                    for doubled in self._divisions(columns, depth, tn * tk == 1):
                        for order in orders((tm, tn, tk)):
                            choice = Choice(rows, columns, depth, order, doubled)
                            if self._sums_fit(choice, (tm, tn, tk)) and self._rows_fit(choice):
                                yield choice

    def row_tiles(self, rows: int) -> int:
        """Tiles of M of that size; of a batched GEMM, in one element."""
        if self.demand.elements:
            return max(ceil_div(run.rows, rows) for run, _ in self.demand.elements)
        return len(self.cuts.tiles(self.demand.runs, rows))

    def pieces(self, columns: int) -> tuple[tuple[int, ...], ...]:
        """Tiles of N in pieces: columns of the array, or (input-stationary) what an accumulator slot holds."""
        tiles = column_widths(self.demand.n, columns)
        if self.cuts.array.dataflow is Dataflow.INPUT_STATIONARY:
            return tuple(even_widths(width, self.cuts.sums) for width in tiles)
        return tuple(column_widths(width, self.cuts.array.columns) for width in tiles)

    def stripe_rows(self) -> int:
        """Rows of a stripe; 0 if an accumulator slot holds no whole row."""
        return self.cuts.stripe_rows(self.demand.n, self.demand.whole_rows)

    def spills(self, order: LoopOrder, tiles: tuple[int, int, int]) -> bool:
        """Whether sums leave before they are complete: K is cut, and a loop inside it leaves their tile."""
        counts = dict(zip("mnk", tiles, strict=True))
        return counts["k"] > 1 and any(counts[axis] > 1 for axis in order.value.partition("k")[2])

    def _divisions(self, columns: int, depth: int, one_tile: bool) -> tuple[Doubled, ...]:
        """The ways to divide the buffers that differ, are configured, and leave room for a tile of weights."""
        buffers = self.cuts.accelerator.buffers
        bits = columns * depth * max(run.stationary_bits for run in self.demand.runs)
        batched = bool(self.demand.elements)
        slots = buffers.weight.slots
        divided = slots > 1 and (batched or bits <= buffers.weight.slot_bits)
        whole = (batched or bits <= buffers.weight.capacity_bits) and not (divided and (one_tile or batched))
        return tuple(
            doubled
            for doubled in DIVISIONS
            if (divided if divides_weights(doubled) else whole)
            and (buffers.activation.slots > 1 or not divides_rows(doubled))
        )

    def _sums_fit(self, choice: Choice, tiles: tuple[int, int, int]) -> bool:
        """A stripe fits an accumulator slot, and sums that wait for further values of K fit all slots."""
        height = self.stripe_rows()
        if not height:
            return False
        if tiles[2] == 1 or self.spills(choice.order, tiles):
            return True
        wide = 1 if self.demand.whole_rows else max(len(widths) for widths in self.pieces(choice.columns))
        high = ceil_div(min(choice.rows, self.demand.rows), height)
        return high * wide <= self.cuts.accelerator.buffers.accumulator.slots

    def _rows_fit(self, choice: Choice) -> bool:
        """A tile of rows, and its part of everything else that crosses the border, fits its part of the buffer."""
        demand, buffer = self.demand, self.cuts.accelerator.buffers.activation
        if demand.elements:
            return True
        divided = divides_rows(choice.doubled)
        pieces, parts = self.pieces(choice.columns), 1
        if divided and not demand.whole_rows:
            stays = choice.order.value.index("n") > choice.order.value.index("m") and choice.depth >= demand.k
            parts = sum(len(widths) for widths in pieces) if stays else len(pieces[-1])
        row = choice.depth * max(run.stream_bits for run in demand.runs)
        row += ceil_div(demand.beside_bits, demand.rows * parts)
        return min(choice.rows, demand.rows) * row <= (buffer.slot_bits if divided else buffer.capacity_bits)
