"""The fourth witness: totals of a fold stream without any expansion (design 5).

It shares plain numbers with the array model (sizes, widths, lanes, slots) and none of its rules, so that a rule which
the model and the mapping have wrong alike still shows here.
"""

from __future__ import annotations

from collections.abc import Sequence

from mixarray.accelerator.enums import WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Mode
from mixarray.array.fold import OutputFold, StationaryFold


def stationary_total_cycles(array: Array, folds: Sequence[StationaryFold]) -> int:
    """Serial sum(r + Meff + R+C-2), single sum(r + Meff) + R+C-2, double r_1 + sum max(Meff_i, r_i+1) + Meff_T + R+C-2.

    Only for streams without withheld rows.
    """
    port_cycles = _port_cycles(array)
    loads = [_kept_rows(array, min(fold.depth, array.rows)) * port_cycles for fold in folds]
    streams = [sum(run.rows * _passes(run.mode, fold.depth, array.rows) for run in fold.runs) for fold in folds]
    return _total(array, loads, streams)


def output_total_cycles(array: Array, folds: Sequence[OutputFold]) -> int:
    """The mirror image: drains of r rows behind streams of K steps; double K_1 + sum max(r_i, K_i+1) + r_T + R+C-2."""
    port_cycles = _port_cycles(array)
    steps = [fold.depth * port_cycles for fold in folds]
    return _total(array, steps, [_kept_rows(array, fold.height) for fold in folds])


def _port_cycles(array: Array) -> int:
    """ceil(bits of one array row / bits that the port delivers per cycle)."""
    row_bits = array.columns * array.pe_stationary_bits
    return (row_bits + array.weight_port_bits - 1) // array.weight_port_bits


def _kept_rows(array: Array, used: int) -> int:
    """Rows of a load or a drain."""
    return array.rows if array.weight_load_rows is WeightLoadRows.ALL else used


def _passes(mode: Mode, depth: int, rows: int) -> int:
    """A value split over s slots takes s passes always; else a pass covers as many values of K as l lanes on R rows."""
    if mode.slots_per_value > 1:
        return mode.slots_per_value
    return (depth + mode.lanes * rows - 1) // (mode.lanes * rows)


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
