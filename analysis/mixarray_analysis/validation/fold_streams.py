"""Random streams of folds for the array room: any R x C, both register policies, mixed rows, withheld rows.

Folds of one stream differ in everything that may differ; they need not come from one GEMM.
"""

from __future__ import annotations

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Array
from mixarray.array.fold import OutputFold, RowRun, StationaryFold
from mixarray_analysis.validation.arrays import LARGEST_EDGE, Choose, draw_array, one_of, styles_serving

MOST_FOLDS = 7
MOST_ROWS = 12


def draw_stationary(choose: Choose, withheld: bool) -> tuple[Array, tuple[StationaryFold, ...]]:
    """A weight-stationary array of any PE style, and folds whose rows mix the modes that may share a fold."""
    style = one_of(choose, styles_serving(Dataflow.WEIGHT_STATIONARY))
    array = draw_array(choose, style, Dataflow.WEIGHT_STATIONARY)
    return array, tuple(_stationary_fold(choose, array, withheld) for _ in range(choose(1, MOST_FOLDS)))


def draw_output(choose: Choose, withheld: bool) -> tuple[Array, tuple[OutputFold, ...]]:
    """An output-stationary array of any PE style and folds of any height, width and depth."""
    style = one_of(choose, styles_serving(Dataflow.OUTPUT_STATIONARY))
    array = draw_array(choose, style, Dataflow.OUTPUT_STATIONARY)
    return array, tuple(_output_fold(choose, array, withheld) for _ in range(choose(1, MOST_FOLDS)))


def _stationary_fold(choose: Choose, array: Array, withheld: bool) -> StationaryFold:
    layout = one_of(choose, array.pe_modes).layout
    sharing = tuple(mode for mode in array.pe_modes if mode.layout == layout)
    runs = tuple(RowRun(choose(1, MOST_ROWS), one_of(choose, sharing)) for _ in range(choose(1, 3)))
    depth, width = choose(1, sharing[0].fold_depth(array.rows)), choose(1, array.columns)
    fold = StationaryFold(depth, width, runs)
    if not withheld:
        return fold
    load_gaps, row_gaps = _gaps(choose, fold.load_rows(array)), _gaps(choose, fold.rows)
    return StationaryFold(depth, width, runs, load_gaps=load_gaps, row_gaps=row_gaps)


def _output_fold(choose: Choose, array: Array, withheld: bool) -> OutputFold:
    height, width, depth = choose(1, array.rows), choose(1, array.columns), choose(1, 2 * LARGEST_EDGE)
    mode = one_of(choose, array.pe_modes)
    return OutputFold(height, width, depth, mode, step_gaps=_gaps(choose, depth) if withheld else ())


def _gaps(choose: Choose, count: int) -> tuple[int, ...]:
    """Cycles withheld; none for about half of the rows."""
    return tuple(max(0, choose(-3, 3)) for _ in range(count))
