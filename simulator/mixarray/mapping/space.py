"""The mapping space of one GEMM: tile sizes at fold multiples, six loop orders, and which buffers are divided.

Along each dimension, for every number of tiles t = 1, 2, 3, ... the even tile ceil(D / t), rounded up to whole folds;
equal sizes count once, and the whole dimension is among them. A fold is what the array holds at once along the
dimensions that lie on it. The dimension that streams has no folds: there up to eight tiles are exactly even, and more
of them are rounded up to as many steps as the array has rows, which hide a load.

| dataflow | M | N | K |
|---|---|---|---|
| weight-stationary | streams | C | R, times the slots of the widest mode |
| input-stationary | C | streams | R, times the slots of the widest mode |
| output-stationary | R | C | streams |

Points that mean the same are one point. Loops of one tile do not count in an order: of equal orders the first in
lexical order stands for all. Where all weights are one tile, or both operands are activations, nothing is fetched
beside what is used: dividing the weight buffer or not is then the same, and the divided form (if the tile fits it)
stands for both, because it leaves a slot to the next operator. Points whose tiles do not fit their buffers are no
part of the space.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from mixarray.accelerator.enums import Dataflow
from mixarray.mapping.amounts import ceil_div
from mixarray.mapping.choice import Choice, Doubled, LoopOrder
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.demand import Demand
from mixarray.mapping.tiles import column_widths, even_widths

ORDERS = tuple(sorted(LoopOrder))
DIVISIONS = tuple(sorted(Doubled))
EVEN_TILES = 8


def even_tiles(length: int, fold: int, streams: bool) -> tuple[int, ...]:
    """The even tile for every number of tiles, each size once, in rising order."""
    folds = ceil_div(length, fold)
    sizes = {min(length, ceil_div(folds, tiles) * fold) for tiles in range(1, folds + 1)}
    if streams:
        sizes = {size for size in sizes if ceil_div(length, size) > EVEN_TILES}
        sizes |= {ceil_div(length, tiles) for tiles in range(1, EVEN_TILES + 1)}
    return tuple(sorted(sizes))


def distinct_orders(tiles: tuple[int, int, int]) -> tuple[LoopOrder, ...]:
    """The orders that differ for so many tiles of M, N and K."""
    m, n, k = tiles
    return _orders_of(frozenset(axis for axis, count in (("m", m), ("n", n), ("k", k)) if count > 1))


@cache
def _orders_of(cut: frozenset[str]) -> tuple[LoopOrder, ...]:
    """The orders that differ where only these dimensions are cut."""
    first: dict[str, LoopOrder] = {}
    for order in ORDERS:
        first.setdefault("".join(axis for axis in order.value if axis in cut), order)
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

    @cached_property
    def row_sizes(self) -> tuple[int, ...]:
        """Tiles of M, rising; the undivided one is the operator's m."""
        demand, array = self.demand, self.cuts.array
        rows = demand.elements[0][0].rows if demand.elements else demand.rows
        streams = array.dataflow is Dataflow.WEIGHT_STATIONARY
        return (*even_tiles(rows, self.cuts.fold_rows, streams)[:-1], demand.m)

    @cached_property
    def column_sizes(self) -> tuple[int, ...]:
        """Tiles of N, rising; only N where operators after the GEMM need whole rows."""
        demand, array = self.demand, self.cuts.array
        if demand.whole_rows:
            return (demand.n,)
        streams = array.dataflow is Dataflow.INPUT_STATIONARY
        return even_tiles(demand.n, array.rows if streams else array.columns, streams)

    @cached_property
    def depth_sizes(self) -> tuple[int, ...]:
        """Tiles of K, rising; only K where operators before the GEMM need whole rows, or operands of an element are on
        the chip as a whole anyway (cutting K would only send sums out and back).
        """
        demand, array = self.demand, self.cuts.array
        if demand.before or demand.elements:
            return (demand.k,)
        if array.dataflow is Dataflow.OUTPUT_STATIONARY:
            return even_tiles(demand.k, array.rows, True)
        fold = math.lcm(*(run.mode.fold_depth(array.rows) for run in demand.runs if run.mode is not None))
        return even_tiles(demand.k, fold, False)

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

    @cached_property
    def stripe_rows(self) -> int:
        """Rows of a stripe; 0 if an accumulator slot holds no whole row."""
        return self.cuts.stripe_rows(self.demand.n, self.demand.whole_rows)

    def points(self) -> Iterator[Choice]:
        """All points once, in lexical order but for the order of loops within equal tiles."""
        if not self.stripe_rows:
            return
        pieces = {columns: self.pieces(columns) for columns in self.column_sizes}
        for rows in self.row_sizes:
            tm = self.row_tiles(rows)
            for columns, widths in pieces.items():
                for depth in self.depth_sizes:
                    tiles = tm, len(widths), ceil_div(self.demand.k, depth)
                    yield from self._points((rows, columns, depth), tiles, widths)

    def _points(
        self, size: tuple[int, int, int], tiles: tuple[int, int, int], widths: tuple[tuple[int, ...], ...]
    ) -> Iterator[Choice]:
        """The points of one tile size whose tiles fit; `tiles` says how many, `widths` their pieces of N."""
        rows, columns, depth = size
        divisions = self._divisions(columns, depth, tiles[1] * tiles[2] == 1)
        if not divisions:
            return
        row_bits, beside_bits = depth * self._widest_bits, ceil_div(self.demand.beside_bits, self._rows)
        slot_bits, capacity_bits = self._activation_bits
        high = min(rows, self._rows)
        if not self.demand.elements and high * row_bits > capacity_bits:
            return
        for order in distinct_orders(tiles):
            if not self._sums_fit(rows, order, tiles, widths):
                continue
            parts = self._parts(order, tiles, widths)
            for doubled in divisions:
                divided = divides_rows(doubled)
                beside = ceil_div(self.demand.beside_bits, self._rows * parts) if divided else beside_bits
                most = slot_bits if divided else capacity_bits
                if self.demand.elements or high * (row_bits + beside) <= most:
                    yield Choice(rows, columns, depth, order, doubled)

    @cached_property
    def _rows(self) -> int:
        return self.demand.rows

    @cached_property
    def _widest_bits(self) -> int:
        """Bits of a value that streams, at most."""
        return max(run.stream_bits for run in self.demand.runs)

    @cached_property
    def _widest_weight_bits(self) -> int:
        """Bits of a stationary value, at most."""
        return max(run.stationary_bits for run in self.demand.runs)

    @cached_property
    def _activation_bits(self) -> tuple[int, int]:
        """(one slot, all of it) of the activation buffer."""
        buffer = self.cuts.accelerator.buffers.activation
        return buffer.slot_bits, buffer.capacity_bits

    @cached_property
    def _weight_bits(self) -> tuple[int, int]:
        """(one slot, all of it) of the weight buffer."""
        buffer = self.cuts.accelerator.buffers.weight
        return buffer.slot_bits, buffer.capacity_bits

    def _parts(self, order: LoopOrder, tiles: tuple[int, int, int], widths: tuple[tuple[int, ...], ...]) -> int:
        """Parts in which a divided buffer sees what else moves with a tile of rows: one for each iteration on it."""
        if self.demand.whole_rows:
            return 1
        stays = order.value.index("n") > order.value.index("m") and tiles[2] == 1
        return sum(len(tile) for tile in widths) if stays else len(widths[-1])

    def _divisions(self, columns: int, depth: int, one_tile: bool) -> tuple[Doubled, ...]:
        """The ways to divide the buffers that differ, are configured, and leave room for a tile of weights."""
        buffers, batched = self.cuts.accelerator.buffers, bool(self.demand.elements)
        bits = 0 if batched else columns * depth * self._widest_weight_bits
        slot_bits, capacity_bits = self._weight_bits
        divided = buffers.weight.slots > 1 and bits <= slot_bits
        whole = bits <= capacity_bits and not (divided and (one_tile or batched))
        return tuple(
            doubled
            for doubled in DIVISIONS
            if (divided if divides_weights(doubled) else whole)
            and (buffers.activation.slots > 1 or not divides_rows(doubled))
        )

    def _sums_fit(
        self, rows: int, order: LoopOrder, tiles: tuple[int, int, int], widths: tuple[tuple[int, ...], ...]
    ) -> bool:
        """Sums that wait for further values of K fit the accumulator slots, or leave."""
        if tiles[2] == 1 or spills(order, tiles):
            return True
        wide = 1 if self.demand.whole_rows else max(len(tile) for tile in widths)
        high = ceil_div(min(rows, self._rows), self.stripe_rows)
        return high * wide <= self.cuts.accelerator.buffers.accumulator.slots


def spills(order: LoopOrder, tiles: tuple[int, int, int]) -> bool:
    """Whether sums leave before they are complete: K is cut, and a loop inside it leaves their tile."""
    m, n, k = tiles
    return k > 1 and _cut_inside_k(order, m > 1, n > 1)


@cache
def _cut_inside_k(order: LoopOrder, m: bool, n: bool) -> bool:
    """Whether a dimension that is cut has its loop inside that of K."""
    inside = order.value.partition("k")[2]
    return (m and "m" in inside) or (n and "n" in inside)
