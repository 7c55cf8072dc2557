"""Random GEMMs in mixed modes for the packed W4 array, and what must come out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Bits
from mixarray.array.events import EventLog
from mixarray.array.fold import RowRun, StationaryFold
from mixarray.array.problem import Problem, stationary_folds
from mixarray.array.stationary import expand_stationary
from mixarray_analysis.validation.rtl.difference import log_difference
from mixarray_analysis.validation.rtl.draws import Values, draw_codes, draw_gaps, draw_port_bits, one_of
from mixarray_analysis.validation.rtl.packed_w4 import Recording, run
from mixarray_analysis.validation.rtl.packed_w4_feed import MODES, Gemm

MODE_SETS: tuple[tuple[Bits, ...], ...] = (((4, 4), (8, 4)), MODES, ((8, 8),), ((4, 4),), ((8, 4),))
"""Modes that the rows of one GEMM mix; with (8,8) alone the weights have 8 bits, else 4."""

ARRAYS = tuple(product(WeightLoading, WeightLoadRows, (1, 2, 3)))
"""Policy, load rows, port cycles: cases take them in turn."""

WITHHELD = (0.0, 0.1, 0.5)
"""Shares of the load rows, and of the streamed rows, of one GEMM that come late."""


@dataclass(frozen=True, slots=True)
class Case:
    """GEMMs one behind the other on one array."""

    array: Array
    gemms: tuple[Gemm, ...]
    noise_seed: int

    @property
    def folds(self) -> tuple[StationaryFold, ...]:
        """The fold stream."""
        return tuple(fold for gemm in self.gemms for fold in gemm.folds)

    def describe(self) -> str:
        """The array and the work in a few words."""
        array = self.array
        sizes = (f"{len(gemm.activations)}x{gemm.weights.shape[1]}x{gemm.weights.shape[0]}" for gemm in self.gemms)
        return (
            f"{array.rows}x{array.columns}, {array.weight_loading}, loads {array.weight_load_rows} rows in "
            f"{array.row_load_cycles} cycles each, MxNxK {' then '.join(sizes)}"
        )

    def expected_log(self) -> EventLog:
        """What the array model says."""
        return expand_stationary(self.array, self.folds).log

    def record(self, library: Path) -> Recording:
        """What the hardware does. Raises HardwareError."""
        return run(library, self.array, self.gemms, self.noise_seed)

    def compare(self, library: Path) -> str:
        """What differs between the hardware and the array model or NumPy, in words. Raises HardwareError."""
        recording = self.record(library)
        return log_difference(self.expected_log(), recording.log) or self.wrong_sum(recording)

    def wrong_sum(self, recording: Recording) -> str:
        """The first sum that is not NumPy's; empty if all are."""
        for number, (gemm, found) in enumerate(zip(self.gemms, recording.results, strict=True)):
            expected = gemm.product()
            wrong = np.argwhere(expected != found)
            if len(wrong):
                row, column = wrong[0].tolist()
                sums = f"NumPy says {expected[row, column]}, the hardware {found[row, column]}"
                return f"GEMM {number} row {row} column {column}: {sums}"
        return ""


def make_array(shape: tuple[int, int], policy: WeightLoading, load_rows: WeightLoadRows, port_bits: int) -> Array:
    """A packed W4 array with all its modes."""
    return Array(
        name="array",
        rows=shape[0],
        columns=shape[1],
        dataflow=Dataflow.WEIGHT_STATIONARY,
        pe_style="packed_w4",
        modes=MODES,
        weight_loading=policy,
        weight_load_rows=load_rows,
        weight_port_bits=port_bits,
        accumulator_bits=32,
    )


def draw_case(seed: int, number: int, shape: tuple[int, int]) -> Case:
    """Random case `number` of a seed: one to three GEMMs, in half of the cases with rows withheld.

    A GEMM takes up to 3 tiles of N and, of K, up to 8 where a weight takes both slots of a PE, else up to 4.
    """
    draw = np.random.default_rng((seed, number))
    policy, load_rows, port_cycles = ARRAYS[number % len(ARRAYS)]
    array = make_array(shape, policy, load_rows, draw_port_bits(draw, 8 * shape[1], port_cycles))
    withheld = bool(draw.integers(2))
    gemms = tuple(_gemm(draw, array, withheld) for _ in range(draw.integers(1, 4)))
    return Case(array, gemms, int(draw.integers(1, 2**31)))


def _gemm(draw: np.random.Generator, array: Array, withheld: bool) -> Gemm:
    modes = one_of(draw, MODE_SETS)
    runs = tuple(
        RowRun(int(draw.integers(1, one_of(draw, (2, 4, 17)))), array.mode(*one_of(draw, modes)))
        for _ in range(draw.integers(1, 6))
    )
    n = one_of(draw, (1, array.columns, array.columns + 1, int(draw.integers(1, 3 * array.columns + 1))))
    problem = Problem(runs, n, _depth(draw, array.rows))
    folds = stationary_folds(array, problem)
    if withheld:
        loads, rows = one_of(draw, WITHHELD), one_of(draw, WITHHELD)
        folds = tuple(_with_gaps(draw, array, fold, loads, rows) for fold in folds)
    values = one_of(draw, tuple(Values))
    activations = [draw_codes(draw, values, run.mode.stream_bits, (run.rows, problem.k)) for run in runs]
    weights = draw_codes(draw, values, min(mode[1] for mode in modes), (problem.k, n))
    return Gemm(folds, np.concatenate(activations), weights)


def _depth(draw: np.random.Generator, rows: int) -> int:
    """K: at the edges of one and of two slots, short of one tile, or anything up to 8 array heights."""
    edges = (1, rows - 1, rows, rows + 1, 2 * rows, 2 * rows + 1)
    return max(1, one_of(draw, (*edges, int(draw.integers(1, rows + 1)), int(draw.integers(1, 8 * rows + 1)))))


def _with_gaps(
    draw: np.random.Generator, array: Array, fold: StationaryFold, loads: float, rows: float
) -> StationaryFold:
    load_gaps = draw_gaps(draw, fold.load_rows(array), loads)
    return replace(fold, load_gaps=load_gaps, row_gaps=draw_gaps(draw, fold.rows, rows))
