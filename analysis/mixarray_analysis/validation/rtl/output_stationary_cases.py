"""Random GEMMs for the output-stationary hardware, and what must come out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from typing import TypeVar

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.array.fold import OutputFold, RowRun
from mixarray.array.output import expand_output
from mixarray.array.problem import Problem, output_folds
from mixarray_analysis.validation.rtl.difference import log_difference
from mixarray_analysis.validation.rtl.output_stationary import Codes, HardwareError, Recording, Tile, run

Option = TypeVar("Option")


class Values(Enum):
    """Which codes a GEMM multiplies."""

    ALL = auto()
    EXTREME = auto()
    LOWEST = auto()


@dataclass(frozen=True, slots=True)
class Gemm:
    """One GEMM cut into output-stationary folds, with its operands: activations (M, K) and weights (K, N)."""

    folds: tuple[OutputFold, ...]
    activations: Codes
    weights: Codes


@dataclass(frozen=True, slots=True)
class Case:
    """GEMMs of different depths, one behind the other on one array."""

    array: Array
    gemms: tuple[Gemm, ...]
    noise_seed: int

    @property
    def folds(self) -> tuple[OutputFold, ...]:
        """The fold stream."""
        return tuple(fold for gemm in self.gemms for fold in gemm.folds)

    def tiles(self) -> list[Tile]:
        """The fold stream with the operands of every fold."""
        return [
            Tile(
                fold,
                gemm.activations[fold.first_row : fold.first_row + fold.height],
                gemm.weights[:, fold.first_n : fold.first_n + fold.width],
            )
            for gemm in self.gemms
            for fold in gemm.folds
        ]

    def describe(self) -> str:
        """The array in a few words."""
        array = self.array
        return (
            f"{array.rows}x{array.columns}, {array.weight_loading}, drains {array.weight_load_rows} rows, "
            f"{array.row_load_cycles} port cycles, {len(self.folds)} folds"
        )


def make_case(seed: int, number: int, shape: tuple[int, int]) -> Case:
    """Case `number` of a seed: one to three GEMMs of up to 3 x 3 tiles, half of the cases with steps withheld."""
    draw = np.random.default_rng((seed, number))
    rows, columns = shape
    array = Array(
        name="array",
        rows=rows,
        columns=columns,
        dataflow=Dataflow.OUTPUT_STATIONARY,
        pe_style="plain",
        modes=((8, 8),),
        weight_loading=_one_of(draw, tuple(WeightLoading)),
        weight_load_rows=_one_of(draw, tuple(WeightLoadRows)),
        weight_port_bits=8 * -(-columns // int(draw.integers(1, 4))),
        accumulator_bits=32,
    )
    withheld = bool(draw.integers(2))
    gemms = tuple(_gemm(draw, array, withheld) for _ in range(draw.integers(1, 4)))
    return Case(array, gemms, int(draw.integers(1, 2**31)))


def _gemm(draw: np.random.Generator, array: Array, withheld: bool) -> Gemm:
    n, k = int(draw.integers(1, 3 * array.columns + 1)), _one_of(draw, (1, 2, array.rows, int(draw.integers(1, 65))))
    groups = draw.integers(1, 3 * array.rows // 2 + 1, draw.integers(1, 3)).tolist()
    runs = tuple(RowRun(rows, array.mode(8, 8)) for rows in groups)
    folds = output_folds(array, Problem(runs, n, k))
    if withheld:
        folds = tuple(replace(fold, step_gaps=_gaps(draw, k)) for fold in folds)
    values = _one_of(draw, tuple(Values))
    return Gemm(folds, _codes(draw, values, (sum(groups), k)), _codes(draw, values, (k, n)))


def _one_of(draw: np.random.Generator, options: Sequence[Option]) -> Option:
    return options[int(draw.integers(len(options)))]


def _gaps(draw: np.random.Generator, steps: int) -> tuple[int, ...]:
    return tuple((draw.geometric(0.3, steps) * (draw.random(steps) < 0.4)).tolist())


def _codes(draw: np.random.Generator, values: Values, size: tuple[int, int]) -> Codes:
    match values:
        case Values.ALL:
            return draw.integers(-128, 128, size, np.int8)
        case Values.EXTREME:
            return draw.choice(np.array([-128, 127], np.int8), size)
        case Values.LOWEST:
            return np.full(size, -128, np.int8)


def compare(case: Case, library: Path) -> str:
    """What differs between the hardware and the model or NumPy, in words; empty if nothing does."""
    try:
        recording = run(library, case.array, case.tiles(), case.noise_seed)
    except HardwareError as error:
        return str(error)
    expected = expand_output(case.array, case.folds).log
    return log_difference(expected, recording.log) or _result_difference(case, recording)


def _result_difference(case: Case, recording: Recording) -> str:
    """Every drained PE hands its sum out exactly once, and it is NumPy's; rows above the tile hold zeros."""
    results, arrivals = np.zeros_like(recording.results, np.int64), np.zeros_like(recording.arrivals)
    number = 0
    for gemm in case.gemms:
        product = gemm.activations.astype(np.int64) @ gemm.weights.astype(np.int64)
        for fold in gemm.folds:
            part = product[fold.first_row :, fold.first_n :][: fold.height, : fold.width]
            results[number, case.array.rows - fold.height :, : fold.width] = part
            arrivals[number, case.array.rows - fold.drain_rows(case.array) :] = 1
            number += 1
    wrong = np.argwhere((recording.results != results) | (recording.arrivals != arrivals))
    if not len(wrong):
        return ""
    place = tuple(wrong[0].tolist())
    return (
        f"fold {place[0]} row {place[1]} column {place[2]}: {recording.results[place]} left "
        f"{recording.arrivals[place]} times, NumPy's {results[place]} should leave {arrivals[place]} times"
    )
