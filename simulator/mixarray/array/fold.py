"""What an array is given: a stream of folds. One fold is a tile that stays in the array and what passes through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from mixarray.accelerator.enums import WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Mode
from mixarray.array.regions import Regions


@dataclass(frozen=True, slots=True)
class RowRun:
    """Consecutive streamed rows in one mode; `regions`: of their codes, None for plain ones."""

    rows: int
    mode: Mode
    regions: Regions | None = None


@dataclass(frozen=True, slots=True)
class StationaryFold:
    """A tile of stationary values (`depth` of K by `width` of N) and the rows that stream through it.

    All runs share one stationary layout. first_row, first_k, first_n: where the fold lies in its GEMM.
    load_gaps[r], row_gaps[m]: cycles that load row r or streamed row m is withheld after it could have been issued
    (empty: never). held: the regions of the codes that stay, None for plain ones.
    """

    depth: int
    width: int
    runs: tuple[RowRun, ...]
    first_row: int = 0
    first_k: int = 0
    first_n: int = 0
    load_gaps: tuple[int, ...] = ()
    row_gaps: tuple[int, ...] = ()
    held: Regions | None = None

    @property
    def rows(self) -> int:
        """Streamed rows."""
        return sum(run.rows for run in self.runs)

    def load_rows(self, array: Array) -> int:
        """Rows that loading the tile writes: all of the array's, or only those that hold values."""
        return array.rows if array.weight_load_rows is WeightLoadRows.ALL else min(self.depth, array.rows)

    def passes(self, array: Array) -> int:
        """Meff: cycles that all streamed rows occupy the array."""
        return sum(run.rows * run.mode.passes(self.depth, array.rows) for run in self.runs)


@dataclass(frozen=True, slots=True)
class OutputFold:
    """A tile of sums (`height` rows of M by `width` of N) that stays while all `depth` values of K pass through.

    The tile lies on the array's last rows, R - height .. R - 1, so that its results leave first.
    step_gaps[k]: cycles that step k (one column of activations and one row of weights) is withheld (empty: never).
    regions: of the activations' codes, None for plain ones.
    """

    height: int
    width: int
    depth: int
    mode: Mode
    first_row: int = 0
    first_n: int = 0
    step_gaps: tuple[int, ...] = ()
    regions: Regions | None = None

    def drain_rows(self, array: Array) -> int:
        """Steps that draining the results takes: all rows of the array, or only those that hold sums."""
        return array.rows if array.weight_load_rows is WeightLoadRows.ALL else self.height


Fold = StationaryFold | OutputFold
Kind = TypeVar("Kind", StationaryFold, OutputFold)


def of_kind(folds: Sequence[Fold], kind: type[Kind]) -> tuple[Kind, ...]:
    """The same folds, which must all be of one kind; raises TypeError where one is not."""
    same = tuple(fold for fold in folds if isinstance(fold, kind))
    if len(same) != len(folds):
        raise TypeError(f"{len(folds) - len(same)} of {len(folds)} folds are no {kind.__name__}")
    return same
