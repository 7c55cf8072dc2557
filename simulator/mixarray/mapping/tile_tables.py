"""The tiles of a GEMM as tables of 64-bit integers, one for each tile size: what bounds of choices are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoadRows
from mixarray.mapping import pipeline_columns as at
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.demand import Demand
from mixarray.mapping.pipeline_columns import Integers
from mixarray.mapping.space import Space
from mixarray.mapping.tiles import ALIKE, RowBits, Runs, cut_rows, rows_weight


@dataclass(frozen=True, slots=True)
class RowTable:
    """Tiles of M for one size and their stripes, columns as in `pipeline_columns`.

    FULL, REST: array cycles of a stripe in a fold of full depth, and in the last one of K if that is not full (0: it
    is; input-stationary: for each column of N; output-stationary: for each value of K). PARTS: pieces of a stripe that
    have folds of their own. TIMES: how often it occurs (batched GEMMs: once per element).
    """

    tiles: Integers
    stripes: Integers

    @property
    def count(self) -> int:
        """Tiles of M (of a batched GEMM, in one element of each group)."""
        return len(self.tiles) - 1

    @property
    def value_bits(self) -> int:
        """Bits of one stationary value, over all tiles."""
        return int(self.tiles[:-1, at.VALUE_BITS].sum())

    @property
    def changing_bits(self) -> int:
        """The same, over the tiles where they differ from those of the tile before."""
        bits = self.tiles[:-1, at.VALUE_BITS]
        return int(bits[0] + bits[1:][bits[1:] != bits[:-1]].sum())


def block_table(space: Space, columns: int) -> Integers:
    """What iterations cover of N, of all its tiles: (blocks, 3)."""
    rows = []
    for number, widths in enumerate(space.pieces(columns)):
        blocks = [widths] if space.demand.whole_rows else [(width,) for width in widths]
        rows += [(sum(block), len(block), number) for block in blocks]
    return np.array(rows, np.int64)


def row_table(space: Space, rows: int) -> RowTable:
    """All tiles of M and their stripes."""
    demand, cuts, height = space.demand, space.cuts, space.stripe_rows
    if demand.elements:
        tiles = [(tile, count) for run, count in demand.elements for tile in cut_rows([run], rows)]
    else:
        tiles = [(tile, 1) for tile in cuts.tiles(demand.runs, rows)]
    known = {tile: cut_rows(tile, height) for tile in {tile for tile, _ in tiles}}
    cost = {stripe: _stripe(demand, cuts, stripe) for part in known.values() for stripe in part}
    tile_rows: list[tuple[int, ...]] = []
    stripe_rows: list[tuple[int, ...]] = []
    for tile, count in tiles:
        bits, depth = tile[0].stationary_bits, fold_depth(demand, cuts, tile)
        rows_of, *others = (rows_weight(tile, by) for by in demand.weightings)
        tile_rows.append((rows_of, bits, depth, len(stripe_rows), *others))
        stripe_rows += [(rows_weight(stripe, ALIKE), *cost[stripe], count) for stripe in known[tile]]
    tile_rows.append((0, 0, 1, len(stripe_rows), *(0 for _ in demand.weightings[1:])))
    return RowTable(np.array(tile_rows, np.int64), np.array(stripe_rows, np.int64))


def row_column(demand: Demand, by: RowBits) -> int:
    """The column of a tile that says what it has of a tensor whose rows have so much."""
    number = demand.weightings.index(by)
    return at.WEIGHTED + number - 1 if number else at.ROWS


def fold_depth(demand: Demand, cuts: Cuts, runs: Runs) -> int:
    """Values of K in a fold of these rows; output-stationary has no folds along K."""
    mode = runs[0].mode
    assert mode is not None  # rows of a GEMM have one
    return demand.k if cuts.array.dataflow is Dataflow.OUTPUT_STATIONARY else mode.fold_depth(cuts.array.rows)


def load_cycles(demand: Demand, cuts: Cuts) -> int:
    """Cycles that every load (output-stationary: drain) of a fold takes at least."""
    array = cuts.array
    output = array.dataflow is Dataflow.OUTPUT_STATIONARY
    if array.weight_load_rows is WeightLoadRows.ALL:
        return array.rows if output else array.rows * array.row_load_cycles
    if output:
        return 1
    depth = min(fold_depth(demand, cuts, (run,)) for run in demand.runs)
    return min(depth, demand.k % depth or depth, array.rows) * array.row_load_cycles


def _stripe(demand: Demand, cuts: Cuts, stripe: Runs) -> tuple[int, int, int]:
    """(cycles in a full fold, cycles in the last fold, pieces of rows)."""
    array, depth = cuts.array, fold_depth(demand, cuts, stripe)
    if array.dataflow is Dataflow.OUTPUT_STATIONARY:
        return array.row_load_cycles, 0, sum(len(part) for part in cut_rows(stripe, array.rows))
    counted = stripe[:1] if array.dataflow is Dataflow.INPUT_STATIONARY else stripe
    rows = [1] if array.dataflow is Dataflow.INPUT_STATIONARY else [run.rows for run in counted]
    modes = [run.mode for run in counted if run.mode is not None]
    last = demand.k % depth

    def cycles(values: int) -> int:
        return sum(count * mode.passes(values, array.rows) for count, mode in zip(rows, modes, strict=True))

    return cycles(depth), cycles(last) if last else 0, 1
