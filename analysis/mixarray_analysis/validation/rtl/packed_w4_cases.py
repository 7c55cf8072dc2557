"""Random GEMMs in mixed modes for the packed W4 array, and whether the hardware agrees on one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import product
from pathlib import Path
from typing import TypeVar

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Bits
from mixarray.array.fold import RowRun, StationaryFold
from mixarray.array.problem import Problem, stationary_folds
from mixarray.array.stationary import expand_stationary
from mixarray_analysis.validation.rtl.difference import log_difference
from mixarray_analysis.validation.rtl.packed_w4 import HardwareError, Recording, run
from mixarray_analysis.validation.rtl.packed_w4_feed import MODES, Codes, Gemm

Option = TypeVar("Option")

MODE_SETS: tuple[tuple[Bits, ...], ...] = (((4, 4), (8, 4)), MODES, ((8, 8),), ((4, 4),), ((8, 4),))
"""Modes that the rows of one GEMM mix; with (8,8) alone the weights have 8 bits, else 4."""

ARRAYS = tuple(product(WeightLoading, WeightLoadRows, (1, 2, 3)))
"""Policy, load rows, port cycles: cases take them in turn."""


class Values(Enum):
    """Which codes a GEMM multiplies."""

    ALL = auto()
    EXTREME = auto()
    LOWEST = auto()


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


def make_case(seed: int, number: int, shape: tuple[int, int]) -> Case:
    """Case `number` of a seed: one to three GEMMs of up to 4 x 3 tiles, in half of the cases with rows withheld."""
    draw = np.random.default_rng((seed, number))
    rows, columns = shape
    policy, load_rows, port_cycles = ARRAYS[number % len(ARRAYS)]
    array = Array(
        name="array",
        rows=rows,
        columns=columns,
        dataflow=Dataflow.WEIGHT_STATIONARY,
        pe_style="packed_w4",
        modes=MODES,
        weight_loading=policy,
        weight_load_rows=load_rows,
        weight_port_bits=_port_bits(draw, 8 * columns, port_cycles),
        accumulator_bits=32,
    )
    withheld = bool(draw.integers(2))
    gemms = tuple(_gemm(draw, array, withheld) for _ in range(draw.integers(1, 4)))
    return Case(array, gemms, int(draw.integers(1, 2**31)))


def compare(case: Case, library: Path) -> str:
    """What differs between the hardware and the array model or NumPy, in words; empty if nothing does."""
    try:
        recording = run(library, case.array, case.gemms, case.noise_seed)
    except HardwareError as error:
        return str(error)
    expected = expand_stationary(case.array, case.folds).log
    return log_difference(expected, recording.log) or result_difference(case, recording)


def result_difference(case: Case, recording: Recording) -> str:
    """The first sum that is not NumPy's; empty if all are."""
    for number, (gemm, found) in enumerate(zip(case.gemms, recording.results, strict=True)):
        expected = gemm.product()
        wrong = np.argwhere(expected != found)
        if len(wrong):
            row, column = wrong[0].tolist()
            sums = f"NumPy says {expected[row, column]}, the hardware {found[row, column]}"
            return f"GEMM {number} row {row} column {column}: {sums}"
    return ""


def _port_bits(draw: np.random.Generator, row_bits: int, cycles: int) -> int:
    """Any port width at which a row takes that many cycles."""
    narrowest = -(-row_bits // cycles)
    widest = 2 * row_bits if cycles == 1 else -(-row_bits // (cycles - 1)) - 1
    return int(draw.integers(narrowest, widest + 1))


def _gemm(draw: np.random.Generator, array: Array, withheld: bool) -> Gemm:
    modes = _one_of(draw, MODE_SETS)
    runs = tuple(
        RowRun(int(draw.integers(1, _one_of(draw, (2, 4, 17)))), array.mode(*_one_of(draw, modes)))
        for _ in range(draw.integers(1, 6))
    )
    R = array.rows
    k = _one_of(draw, (1, R - 1, R, R + 1, 2 * R, 2 * R + 1, int(draw.integers(1, 8 * R + 1))))
    n = _one_of(draw, (1, array.columns, array.columns + 1, int(draw.integers(1, 3 * array.columns + 1))))
    problem = Problem(runs, n, max(1, k))
    folds = stationary_folds(array, problem)
    if withheld:
        folds = tuple(_with_gaps(draw, array, fold) for fold in folds)
    values = _one_of(draw, tuple(Values))
    activations = [_codes(draw, values, run.mode.stream_bits, (run.rows, problem.k)) for run in runs]
    weights = _codes(draw, values, min(mode[1] for mode in modes), (problem.k, n))
    return Gemm(folds, np.concatenate(activations), weights)


def _with_gaps(draw: np.random.Generator, array: Array, fold: StationaryFold) -> StationaryFold:
    return replace(fold, load_gaps=_gaps(draw, fold.load_rows(array)), row_gaps=_gaps(draw, fold.rows))


def _gaps(draw: np.random.Generator, rows: int) -> tuple[int, ...]:
    often = _one_of(draw, (0.0, 0.1, 0.5))
    return tuple((draw.geometric(0.3, rows) * (draw.random(rows) < often)).tolist())


def _one_of(draw: np.random.Generator, options: Sequence[Option]) -> Option:
    return options[int(draw.integers(len(options)))]


def _codes(draw: np.random.Generator, values: Values, bits: int, size: tuple[int, int]) -> Codes:
    """Signed codes of that many bits."""
    lowest, highest = -(1 << bits - 1), (1 << bits - 1) - 1
    match values:
        case Values.ALL:
            return draw.integers(lowest, highest, size, np.int8, endpoint=True)
        case Values.EXTREME:
            return draw.choice(np.array([lowest, highest], np.int8), size)
        case Values.LOWEST:
            return np.full(size, lowest, np.int8)
