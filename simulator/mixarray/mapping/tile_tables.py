"""The tiles of a GEMM as tables of 64-bit integers, for each tile size once: what the bound of a choice is made from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixarray.accelerator.enums import Dataflow, WeightLoadRows
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.demand import Demand
from mixarray.mapping.space import Space
from mixarray.mapping.tiles import Runs, cut_rows, rows_weight

Integers = NDArray[np.int64]


class RowTable(NamedTuple):
    """Tiles of M for one size; arrays of shape (tiles,) and (stripes,).

    rows, varying: of each tile, the latter times window bits; weight_bits: of one value of its stationary operand;
    fold_depth: values of K in one of its folds. stripe_at[tile]: its first stripe, with one more entry at the end.
    full, rest: array cycles of a stripe in a fold of full depth, and in the last one of K if that is not full
    (input-stationary: for each column of N). parts: pieces of a stripe that each have folds of their own.
    """

    rows: Integers
    varying: Integers
    weight_bits: Integers
    fold_depth: Integers
    stripe_at: Integers
    stripe_rows: Integers
    stripe_varying: Integers
    full: Integers
    rest: Integers
    parts: Integers


class ColumnTable(NamedTuple):
    """Tiles of N for one size: block_at[tile] is its first block, with one more entry at the end.

    A block is what an iteration covers: its columns of N (`width`) in `pieces`.
    """

    block_at: Integers
    width: Integers
    pieces: Integers


def column_table(space: Space, columns: int) -> ColumnTable:
    """The blocks of all tiles of N."""
    tiles = space.pieces(columns)
    blocks = [[widths] if space.demand.whole_rows else [(width,) for width in widths] for widths in tiles]
    flat = [block for tile in blocks for block in tile]
    return ColumnTable(
        _starts([len(tile) for tile in blocks]), _array([sum(block) for block in flat]), _array([len(b) for b in flat])
    )


def row_table(space: Space, rows: int) -> RowTable:
    """All tiles of M and their stripes."""
    demand, cuts = space.demand, space.cuts
    tiles = cuts.tiles(demand.runs, rows)
    height = space.stripe_rows()
    known: dict[Runs, list[Runs]] = {}
    for tile in tiles:
        if tile not in known:
            known[tile] = cut_rows(tile, height)
    stripes = [stripe for tile in tiles for stripe in known[tile]]
    cost = {stripe: _stripe(demand, cuts, stripe) for stripe in set(stripes)}
    full, rest, parts = zip(*(cost[stripe] for stripe in stripes), strict=True)
    return RowTable(
        rows=_array([rows_weight(tile, False) for tile in tiles]),
        varying=_array([rows_weight(tile, True) for tile in tiles]),
        weight_bits=_array([tile[0].stationary_bits for tile in tiles]),
        fold_depth=_array([fold_depth(demand, cuts, tile) for tile in tiles]),
        stripe_at=_starts([len(known[tile]) for tile in tiles]),
        stripe_rows=_array([rows_weight(stripe, False) for stripe in stripes]),
        stripe_varying=_array([rows_weight(stripe, True) for stripe in stripes]),
        full=_array(full),
        rest=_array(rest),
        parts=_array(parts),
    )


def fold_depth(demand: Demand, cuts: Cuts, runs: Runs) -> int:
    """Values of K in a fold of these rows; output-stationary has no folds along K."""
    mode = runs[0].mode
    assert mode is not None  # rows of a GEMM have one
    return demand.k if cuts.array.dataflow is Dataflow.OUTPUT_STATIONARY else mode.fold_depth(cuts.array.rows)


def load_rows(demand: Demand, cuts: Cuts) -> int:
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




def _starts(counts: list[int]) -> Integers:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _array(values: list[int] | tuple[int, ...]) -> Integers:
    return np.array(values, np.int64)
