"""The fourth witness: totals of a fold stream without any expansion (design 5)."""

from __future__ import annotations

from collections.abc import Sequence

from mixarray.accelerator.enums import WeightLoading
from mixarray.accelerator.model import Array
from mixarray.array.fold import OutputFold, StationaryFold


def stationary_total_cycles(array: Array, folds: Sequence[StationaryFold]) -> int:
    """Serial sum(r + Meff + R+C-2), single sum(r + Meff) + R+C-2, double r_1 + sum max(Meff_i, r_i+1) + Meff_T + R+C-2.

    Only for streams without withheld rows.
    """
    loads = [fold.load_rows(array) * array.row_load_cycles for fold in folds]
    return _total(array, loads, [fold.passes(array) for fold in folds])


def output_total_cycles(array: Array, folds: Sequence[OutputFold]) -> int:
    """The mirror image: drains of r rows behind streams of K steps; double K_1 + sum max(r_i, K_i+1) + r_T + R+C-2."""
    steps = [fold.depth * array.row_load_cycles for fold in folds]
    return _total(array, steps, [fold.drain_rows(array) for fold in folds])


def _total(array: Array, first: list[int], second: list[int]) -> int:
    if not first:
        return 0
    travel = array.rows + array.columns - 2
    match array.weight_loading:
        case WeightLoading.SERIAL:
            return sum(first) + sum(second) + travel * len(first)
        case WeightLoading.SINGLE:
            return sum(first) + sum(second) + travel
        case WeightLoading.DOUBLE:
            return first[0] + sum(map(max, second[:-1], first[1:])) + second[-1] + travel
