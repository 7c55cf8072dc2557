"""Random problems for the functional model: every shape, PE style and legal dataflow, mixed rows, withheld rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Bits, Mode
from mixarray.accelerator.styles import pe_styles
from mixarray.array.events import EventLog, Integers
from mixarray.array.fold import OutputFold, RowRun, StationaryFold
from mixarray.array.functional import output_run, stationary_run
from mixarray.array.functional_parts import FunctionalRun
from mixarray.array.operands import check_operands
from mixarray.array.output import expand_output
from mixarray.array.problem import Problem, output_folds, stationary_folds, transposed
from mixarray.array.stationary import Expansion, expand_stationary

SHAPES = ((4, 4), (8, 8), (8, 4), (4, 16), (16, 16))
MODE_SETS: dict[str, tuple[tuple[Bits, ...], ...]] = {
    "packed_w4": (((4, 4), (8, 4), (8, 8)),),
    "plain": (((8, 8),), ((8, 4),), ((4, 4),)),
}
ACCUMULATOR_BITS = 32
MOST_GAP_CYCLES = 4


@dataclass(frozen=True)
class FunctionalCase:
    """A problem as the array sees it, with its folds, their expansion, and operands (M, K) and (K, N)."""

    array: Array
    problem: Problem
    streaming: Integers
    stationary: Integers
    stationary_folds: tuple[StationaryFold, ...]
    output_folds: tuple[OutputFold, ...]
    expansion: Expansion

    @property
    def folds(self) -> Sequence[StationaryFold | OutputFold]:
        """The folds of its dataflow."""
        return self.stationary_folds or self.output_folds

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
        left, right = check_operands(self.problem, self.streaming, self.stationary)
        shape = self.problem.m, self.problem.n
        if self.output_folds:
            return output_run(self.array, self.output_folds, events, left, right, shape)
        return stationary_run(self.array, self.stationary_folds, events, left, right, shape)


def make_case(
    array: Array, problem: Problem, streaming: Integers, stationary: Integers, gaps: np.random.Generator | None = None
) -> FunctionalCase:
    """Folds and events of a problem; rows are withheld at random where a generator is given."""
    if array.dataflow is Dataflow.OUTPUT_STATIONARY:
        tiles = output_folds(array, problem)
        if gaps is not None:
            tiles = tuple(replace(tile, step_gaps=_gaps(gaps, tile.depth)) for tile in tiles)
        return FunctionalCase(array, problem, streaming, stationary, (), tiles, expand_output(array, tiles))
    folds = stationary_folds(array, problem)
    if gaps is not None:
        folds = tuple(
            replace(fold, load_gaps=_gaps(gaps, fold.load_rows(array)), row_gaps=_gaps(gaps, fold.rows))
            for fold in folds
        )
    return FunctionalCase(array, problem, streaming, stationary, folds, (), expand_stationary(array, folds))


def legal_pairs() -> tuple[tuple[str, Dataflow], ...]:
    """Every PE style with every dataflow that it serves."""
    return tuple(
        (style.name, dataflow)
        for style in pe_styles().values()
        for dataflow in Dataflow
        if dataflow not in style.illegal
    )


def draw_case(seed: int, number: int) -> FunctionalCase:
    """Case `number` of a seed; shapes and (style, dataflow) pairs take turns, everything else is drawn."""
    draw = np.random.default_rng((seed, number))
    pairs = legal_pairs()
    style, dataflow = pairs[number % len(pairs)]
    array = draw_array(draw, SHAPES[number // len(pairs) % len(SHAPES)], style, dataflow)
    m, n, k = (_draw_size(draw, size) for size in (6, 2 * array.columns + 2, 3 * array.rows + 2))
    gaps = draw if draw.random() < 0.5 else None
    if dataflow is Dataflow.INPUT_STATIONARY:
        mode = array.pe_modes[0]
        problem = transposed(m, n, k, mode.stationary_bits, mode.stream_bits, array)
    else:
        modes = [array.pe_modes[index] for index in draw.integers(len(array.pe_modes), size=draw.integers(1, 4))]
        problem = Problem(tuple(RowRun(_draw_size(draw, m), mode) for mode in modes), n, k)
    return make_case(array, problem, *draw_operands(draw, problem, extreme=bool(draw.random() < 0.25)), gaps)


def draw_array(draw: np.random.Generator, shape: tuple[int, int], style: str, dataflow: Dataflow) -> Array:
    """An array of a shape with any mode set, policy, load rows and 1 to 3 cycles per row on the weight port."""
    modes = MODE_SETS[style][draw.integers(len(MODE_SETS[style]))]
    row_bits = shape[1] * pe_styles()[style].pe_stationary_bits(pe_styles()[style].make_modes(modes))
    return make_array(
        shape,
        style,
        dataflow,
        modes,
        tuple(WeightLoading)[draw.integers(len(WeightLoading))],
        tuple(WeightLoadRows)[draw.integers(len(WeightLoadRows))],
        -(-row_bits // int(draw.integers(1, 4))),
    )


def make_array(
    shape: tuple[int, int],
    style: str,
    dataflow: Dataflow,
    modes: tuple[Bits, ...],
    loading: WeightLoading = WeightLoading.DOUBLE,
    load_rows: WeightLoadRows = WeightLoadRows.ALL,
    port_bits: int = 65_536,
    accumulator_bits: int = ACCUMULATOR_BITS,
) -> Array:
    """An array on its own, without an accelerator around it."""
    rows, columns = shape
    return Array(
        name="array",
        rows=rows,
        columns=columns,
        dataflow=dataflow,
        pe_style=style,
        modes=modes,
        weight_loading=loading,
        weight_load_rows=load_rows,
        weight_port_bits=port_bits,
        accumulator_bits=accumulator_bits,
    )


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


def mode_of(array: Array, bits: Bits) -> Mode:
    """The array's mode of exactly these bits."""
    return next(mode for mode in array.pe_modes if (mode.stream_bits, mode.stationary_bits) == bits)


def _draw_size(draw: np.random.Generator, most: int) -> int:
    """1 to `most`, with 1 and `most` more often than the rest."""
    return int(draw.choice([1, most, *draw.integers(1, most, size=4, endpoint=True)]))


def _gaps(draw: np.random.Generator, count: int) -> tuple[int, ...]:
    """Withheld cycles, none for about half of the rows."""
    cycles = draw.integers(0, MOST_GAP_CYCLES, size=count, endpoint=True)
    return tuple(np.where(draw.random(count) < 0.5, 0, cycles).tolist())
