"""What every PE of an array does during one GEMM: counted from every event of the array model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Array
from mixarray.array.fold import Fold
from mixarray.array.problem import Problem, expand_folds, folds, gemm_problem
from mixarray.array.utilization import utilization
from mixarray.errors import InputError

COLUMNS = ["row", "column", "active_cycles", "active_share", "total_cycles"]
MOST_EVENTS = 8_000_000
"""A log of so many events takes about 1.5 GB while it is sorted, and some seconds."""
MOST_FOLDS = 50_000
"""Each is expanded on its own: so many take some seconds, too."""
MOST_PES = 1 << 20
"""The table has a line for each."""


@dataclass(frozen=True, slots=True)
class GemmRequest:
    """`batch` GEMMs of (M, N, K) back to back at (activation, weight) bits on an accelerator's first array."""

    gemm: tuple[int, int, int]
    bits: tuple[int, int]
    batch: int
    accelerator: str
    overrides: tuple[str, ...] = ()

    def array(self) -> tuple[int, Array]:
        """The array that runs it, and its number; InputError where none does."""
        accelerator = load_accelerator(self.accelerator, self.overrides)
        index, _ = accelerator.array_for(*self.bits)
        return index, accelerator.arrays[index]


def gemm_frame(request: GemmRequest) -> pd.DataFrame:
    """One row per PE (COLUMNS): cycles in which it multiplies, of the total of the whole batch as one stream of folds.

    Raises InputError for a GEMM that no mode or memory holds.
    """
    index, array = request.array()
    problem = gemm_problem(array, request.gemm, request.bits)
    _check_size(array, f"arrays.{index}", problem, request.batch)
    stream: tuple[Fold, ...] = folds(array, problem) * request.batch
    found = utilization(array, stream, expand_folds(array, stream))
    rows, columns = np.indices(found.active_cycles.shape)
    values = rows.ravel(), columns.ravel(), found.active_cycles.ravel(), found.share.ravel()
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=False))).assign(total_cycles=found.total_cycles)


def _check_size(array: Array, path: str, problem: Problem, batch: int) -> None:
    """Refuse what cannot be expanded event by event."""
    if array.pes > MOST_PES:
        raise InputError(path, f"has {array.pes:,} PEs; at most {MOST_PES:,} are drawn")
    mode, across = problem.runs[0].mode, -(-problem.n // array.columns)
    if array.dataflow is Dataflow.OUTPUT_STATIONARY:
        count = -(-problem.m // array.rows) * across
        events = 2 * count * (problem.k + array.rows)
    else:
        count = -(-problem.k // mode.fold_depth(array.rows)) * across
        events = count * (array.rows + 2 * problem.m * mode.passes(mode.fold_depth(array.rows), array.rows))
    for number, what, most in ((events, "events", MOST_EVENTS), (count, "folds", MOST_FOLDS)):
        if number > most:
            raise InputError("--gemm", f"takes about {number:,} {what} on this array; at most {most:,} are drawn")
        if number * batch > most:
            total = f"{batch:,} such GEMMs take about {number * batch:,} {what} on this array"
            raise InputError("--batch", f"{total}; at most {most:,} are drawn")
