"""A GEMM cut into the folds of an array, in the order of the mapping.

Stationary dataflows: rows of one stationary layout outside (their modes share folds), then columns of N, K inside.
Output-stationary: runs of rows outside, then columns of N, inside them tiles of R rows, which share a column's weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Bits
from mixarray.array.fold import Fold, OutputFold, RowRun, StationaryFold, of_kind
from mixarray.array.output import expand_output
from mixarray.array.regions import Regions
from mixarray.array.stationary import Expansion, expand_stationary

Folds = tuple[StationaryFold, ...] | tuple[OutputFold, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """`runs` rows (M) by `n` by `k`, as the array sees it: what streams, and what stays.

    held: the regions of the codes that stay, None for plain ones (activations of an input-stationary array alone).
    """

    runs: tuple[RowRun, ...]
    n: int
    k: int
    held: Regions | None = None

    @property
    def m(self) -> int:
        """Streamed rows."""
        return sum(run.rows for run in self.runs)


def gemm_problem(array: Array, size: tuple[int, int, int], bits: Bits, regions: Regions | None = None) -> Problem:
    """One GEMM of `size` (M, N, K) at (activation, weight) `bits` in the array's dataflow; `regions` of activations.

    Raises InputError if no mode serves these bits.
    """
    m, n, k = size
    if array.dataflow is Dataflow.INPUT_STATIONARY:
        return replace(transposed(m, n, k, *bits, array), held=regions)
    return Problem((RowRun(m, array.mode(*bits), regions),), n, k)


def transposed(m: int, n: int, k: int, stream_bits: int, stationary_bits: int, array: Array) -> Problem:
    """Input-stationary: C^T = W^T A^T, so the n weight columns stream and the m activation rows stay.

    `stream_bits` are those of the activations and `stationary_bits` those of the weights, as in the GEMM itself.
    """
    return Problem((RowRun(n, array.mode(stationary_bits, stream_bits)),), m, k)


def stationary_folds(array: Array, problem: Problem) -> tuple[StationaryFold, ...]:
    """All folds on a weight-stationary array; rows of another stationary layout have folds and loads of their own."""
    folds = []
    first_row = 0
    for _, group in groupby(problem.runs, key=lambda run: run.mode.layout):
        runs = tuple(group)
        step = runs[0].mode.fold_depth(array.rows)
        for first_n in range(0, problem.n, array.columns):
            width = min(array.columns, problem.n - first_n)
            for first_k in range(0, problem.k, step):
                depth = min(step, problem.k - first_k)
                folds.append(StationaryFold(depth, width, runs, first_row, first_k, first_n, held=problem.held))
        first_row += sum(run.rows for run in runs)
    return tuple(folds)


def output_folds(array: Array, problem: Problem) -> tuple[OutputFold, ...]:
    """All folds on an output-stationary array."""
    folds = []
    first_row = 0
    for run in problem.runs:
        for first_n in range(0, problem.n, array.columns):
            width = min(array.columns, problem.n - first_n)
            for row in range(0, run.rows, array.rows):
                height = min(array.rows, run.rows - row)
                place = first_row + row
                folds.append(OutputFold(height, width, problem.k, run.mode, place, first_n, regions=run.regions))
        first_row += run.rows
    return tuple(folds)


def folds(array: Array, problem: Problem) -> Folds:
    """All folds in the array's dataflow (input-stationary: those of a transposed problem on a stationary array)."""
    if array.dataflow is Dataflow.OUTPUT_STATIONARY:
        return output_folds(array, problem)
    return stationary_folds(array, problem)


def expand_folds(array: Array, stream: Sequence[Fold]) -> Expansion:
    """Every event of a stream of folds; raises TypeError for folds of another dataflow than the array's."""
    if array.dataflow is Dataflow.OUTPUT_STATIONARY:
        return expand_output(array, of_kind(stream, OutputFold))
    return expand_stationary(array, of_kind(stream, StationaryFold))


def expand(array: Array, problem: Problem) -> Expansion:
    """Every event of a problem in the array's dataflow (input-stationary: of the transposed problem)."""
    return expand_folds(array, folds(array, problem))
