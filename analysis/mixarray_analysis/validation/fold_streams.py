"""Random streams of folds for the array room: any R x C, both register policies, mixed rows, withheld rows.

Folds of one stream differ in everything that may differ; they need not come from one GEMM.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Mode
from mixarray.accelerator.styles import pe_styles
from mixarray.array.fold import OutputFold, RowRun, StationaryFold

Choose = Callable[[int, int], int]
"""An integer from the first to the second, both included: drawn by a generator here, by hypothesis in tests."""

Option = TypeVar("Option")

MODES = {"packed_w4": ((4, 4), (8, 4), (8, 8)), "plain": ((8, 8),)}
LARGEST_EDGE = 9
MOST_FOLDS = 7
MOST_ROWS = 12


def chooser(seed: int, number: int) -> Choose:
    """The choices of case `number` of a seed."""
    draw = np.random.default_rng((seed, number))
    return lambda low, high: int(draw.integers(low, high, endpoint=True))


def draw_array(choose: Choose, style: str, dataflow: Dataflow) -> Array:
    """An array of any shape and policy, whose port takes one to four cycles for a row."""
    rows, columns = choose(1, LARGEST_EDGE), choose(1, LARGEST_EDGE)
    pe_style = pe_styles()[style]
    row_bits = columns * pe_style.pe_stationary_bits(pe_style.make_modes(MODES[style]))
    return Array(
        name="array",
        rows=rows,
        columns=columns,
        dataflow=dataflow,
        pe_style=style,
        modes=MODES[style],
        weight_loading=one_of(choose, tuple(WeightLoading)),
        weight_load_rows=one_of(choose, tuple(WeightLoadRows)),
        weight_port_bits=-(-row_bits // choose(1, 4)),
        accumulator_bits=32,
    )


def draw_stationary(choose: Choose, withheld: bool) -> tuple[Array, tuple[StationaryFold, ...]]:
    """A weight-stationary array, packed or plain, and folds whose rows mix the modes that may share a fold."""
    array = draw_array(choose, one_of(choose, tuple(MODES)), Dataflow.WEIGHT_STATIONARY)
    return array, tuple(_stationary_fold(choose, array, withheld) for _ in range(choose(1, MOST_FOLDS)))


def draw_output(choose: Choose, withheld: bool) -> tuple[Array, tuple[OutputFold, ...]]:
    """An output-stationary array of plain PEs and folds of any height, width and depth."""
    array = draw_array(choose, "plain", Dataflow.OUTPUT_STATIONARY)
    return array, tuple(_output_fold(choose, array, withheld) for _ in range(choose(1, MOST_FOLDS)))


def one_of(choose: Choose, options: Sequence[Option]) -> Option:
    """One of the options."""
    return options[choose(0, len(options) - 1)]


def _stationary_fold(choose: Choose, array: Array, withheld: bool) -> StationaryFold:
    modes: tuple[Mode, ...] = array.pe_modes
    layout = one_of(choose, modes).layout
    sharing = tuple(mode for mode in modes if mode.layout == layout)
    runs = tuple(RowRun(choose(1, MOST_ROWS), one_of(choose, sharing)) for _ in range(choose(1, 3)))
    depth, width = choose(1, sharing[0].fold_depth(array.rows)), choose(1, array.columns)
    fold = StationaryFold(depth, width, runs)
    if not withheld:
        return fold
    load_gaps, row_gaps = _gaps(choose, fold.load_rows(array)), _gaps(choose, fold.rows)
    return StationaryFold(depth, width, runs, load_gaps=load_gaps, row_gaps=row_gaps)


def _output_fold(choose: Choose, array: Array, withheld: bool) -> OutputFold:
    height, width, depth = choose(1, array.rows), choose(1, array.columns), choose(1, 2 * LARGEST_EDGE)
    return OutputFold(height, width, depth, array.pe_modes[0], step_gaps=_gaps(choose, depth) if withheld else ())


def _gaps(choose: Choose, count: int) -> tuple[int, ...]:
    """Cycles withheld; none for about half of the rows."""
    return tuple(max(0, choose(-3, 3)) for _ in range(count))
