"""A GEMM cut into the folds of an array: columns of N outside, K inside; modes of one stationary layout share folds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Array
from mixarray.array.fold import OutputFold, RowRun, StationaryFold
from mixarray.array.output import expand_output
from mixarray.array.stationary import Expansion, expand_stationary


@dataclass(frozen=True, slots=True)
class Problem:
    """`runs` rows (M) by `n` by `k`, as the array sees it: what streams, and what stays."""

    runs: tuple[RowRun, ...]
    n: int
    k: int

    @property
    def m(self) -> int:
        """Streamed rows."""
        return sum(run.rows for run in self.runs)


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
                folds.append(StationaryFold(depth, width, runs, first_row, first_k, first_n))
        first_row += sum(run.rows for run in runs)
    return tuple(folds)


def output_folds(array: Array, problem: Problem) -> tuple[OutputFold, ...]:
    """All folds on an output-stationary array: each run on its own, columns of N inside."""
    folds = []
    first_row = 0
    for run in problem.runs:
        for row in range(0, run.rows, array.rows):
            height = min(array.rows, run.rows - row)
            for first_n in range(0, problem.n, array.columns):
                width = min(array.columns, problem.n - first_n)
                folds.append(OutputFold(height, width, problem.k, run.mode, first_row + row, first_n))
        first_row += run.rows
    return tuple(folds)


def expand(array: Array, problem: Problem) -> Expansion:
    """Every event of a problem in the array's dataflow (input-stationary: of the transposed problem)."""
    if array.dataflow is Dataflow.OUTPUT_STATIONARY:
        return expand_output(array, output_folds(array, problem))
    return expand_stationary(array, stationary_folds(array, problem))
