"""Random problems for the functional model: every shape, PE style and legal dataflow, mixed rows, withheld rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Array
from mixarray.array.events import EventLog, Integers
from mixarray.array.fold import Fold, OutputFold, RowRun, StationaryFold
from mixarray.array.functional import functional_run
from mixarray.array.functional_parts import FunctionalRun
from mixarray.array.operands import check_operands
from mixarray.array.problem import Problem, expand_folds, folds, transposed
from mixarray.array.stationary import Expansion
from mixarray_analysis.validation.arrays import choices_of, draw_array, served_pairs

SHAPES = ((4, 4), (8, 8), (8, 4), (4, 16), (16, 16))
MOST_GAP_CYCLES = 4


@dataclass(frozen=True)
class FunctionalCase:
    """A problem as the array sees it, with its folds, their expansion, and operands (M, K) and (K, N)."""

    array: Array
    problem: Problem
    streaming: Integers
    stationary: Integers
    folds: tuple[Fold, ...]
    expansion: Expansion

    @property
    def words(self) -> str:
        """The case in words, for reports."""
        array, problem = self.array, self.problem
        rows = "+".join(f"{run.rows}@{run.mode.stream_bits}x{run.mode.stationary_bits}" for run in problem.runs)
        loading = f"{array.weight_loading} {array.weight_load_rows}, {array.row_load_cycles} cycles a row"
        place = f"{array.rows}x{array.columns} {array.pe_style} {array.dataflow}"
        return f"{place} ({loading}): rows {rows}, N={problem.n}, K={problem.k}"

    def run(self, log: EventLog | None = None) -> FunctionalRun:
        """Move the array by the case's own log, or by another one."""
        events = self.expansion.log if log is None else log
        operands = check_operands(self.problem, self.streaming, self.stationary)
        return functional_run(self.array, self.folds, events, *operands, (self.problem.m, self.problem.n))


def make_case(
    array: Array, problem: Problem, streaming: Integers, stationary: Integers, gaps: np.random.Generator | None = None
) -> FunctionalCase:
    """Folds and events of a problem; rows are withheld at random where a generator is given."""
    stream: tuple[Fold, ...] = folds(array, problem)
    if gaps is not None:
        stream = tuple(_withheld(array, fold, gaps) for fold in stream)
    return FunctionalCase(array, problem, streaming, stationary, stream, expand_folds(array, stream))


def _withheld(array: Array, fold: Fold, gaps: np.random.Generator) -> Fold:
    match fold:
        case OutputFold():
            return replace(fold, step_gaps=_gaps(gaps, fold.depth))
        case StationaryFold():
            loads, rows = _gaps(gaps, fold.load_rows(array)), _gaps(gaps, fold.rows)
            return replace(fold, load_gaps=loads, row_gaps=rows)


def draw_case(seed: int, number: int) -> FunctionalCase:
    """Case `number` of a seed; shapes and (style, dataflow) pairs take turns, everything else is drawn."""
    draw = np.random.default_rng((seed, number))
    pairs = served_pairs()
    style, dataflow = pairs[number % len(pairs)]
    array = draw_array(choices_of(draw), style, dataflow, SHAPES[number // len(pairs) % len(SHAPES)])
    m, n, k = (_draw_size(draw, size) for size in (6, 2 * array.columns + 2, 3 * array.rows + 2))
    gaps = draw if draw.random() < 0.5 else None
    if dataflow is Dataflow.INPUT_STATIONARY:
        mode = array.pe_modes[0]
        problem = transposed(m, n, k, mode.stationary_bits, mode.stream_bits, array)
    else:
        modes = [array.pe_modes[index] for index in draw.integers(len(array.pe_modes), size=draw.integers(1, 4))]
        problem = Problem(tuple(RowRun(_draw_size(draw, m), mode) for mode in modes), n, k)
    return make_case(array, problem, *draw_operands(draw, problem, extreme=bool(draw.random() < 0.25)), gaps)


def draw_operands(draw: np.random.Generator, problem: Problem, extreme: bool = False) -> tuple[Integers, Integers]:
    """Codes over the whole range of each row's mode, or its two extremes alone."""
    rows = [draw_codes(draw, (run.rows, problem.k), run.mode.stream_bits, extreme) for run in problem.runs]
    bits = min(run.mode.stationary_bits for run in problem.runs)
    return np.concatenate(rows), draw_codes(draw, (problem.k, problem.n), bits, extreme)


def draw_codes(draw: np.random.Generator, shape: tuple[int, int], bits: int, extreme: bool = False) -> Integers:
    """Signed codes of a shape."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if extreme:
        return draw.choice(np.array([low, low, high], np.int64), size=shape)
    return draw.integers(low, high, size=shape, endpoint=True)


def _draw_size(draw: np.random.Generator, most: int) -> int:
    """1 to `most`, with 1 and `most` more often than the rest."""
    return int(draw.choice([1, most, *draw.integers(1, most, size=4, endpoint=True)]))


def _gaps(draw: np.random.Generator, count: int) -> tuple[int, ...]:
    """Withheld cycles, none for about half of the rows."""
    cycles = draw.integers(0, MOST_GAP_CYCLES, size=count, endpoint=True)
    return tuple(np.where(draw.random(count) < 0.5, 0, cycles).tolist())
