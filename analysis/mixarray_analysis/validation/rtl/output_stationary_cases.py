"""Random GEMMs for the output-stationary hardware, and what must come out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.array.events import EventLog
from mixarray.array.fold import OutputFold, RowRun
from mixarray.array.output import expand_output
from mixarray.array.problem import Problem, output_folds
from mixarray_analysis.validation.rtl.difference import log_difference
from mixarray_analysis.validation.rtl.draws import Codes, Values, draw_codes, draw_gaps, draw_port_bits, one_of
from mixarray_analysis.validation.rtl.output_stationary import BITS, Recording, Tile, run

ARRAYS = tuple(product(WeightLoading, WeightLoadRows, (1, 2, 3)))
"""Policy, drained rows, port cycles: cases take them in turn."""


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

    def expected_log(self) -> EventLog:
        """What the array model says."""
        return expand_output(self.array, self.folds).log

    def record(self, library: Path) -> Recording:
        """What the hardware does. Raises HardwareError."""
        return run(library, self.array, self.tiles(), self.noise_seed)

    def compare(self, library: Path) -> str:
        """What differs between the hardware and the array model or NumPy, in words. Raises HardwareError."""
        recording = self.record(library)
        return log_difference(self.expected_log(), recording.log) or self.wrong_sum(recording)

    def wrong_sum(self, recording: Recording) -> str:
        """The first PE that does not hand out NumPy's sum exactly once where it is drained; empty if all do."""
        results, arrivals = np.zeros_like(recording.results, np.int64), np.zeros_like(recording.arrivals)
        number = 0
        for gemm in self.gemms:
            product = gemm.activations.astype(np.int64) @ gemm.weights.astype(np.int64)
            for fold in gemm.folds:
                part = product[fold.first_row :, fold.first_n :][: fold.height, : fold.width]
                results[number, self.array.rows - fold.height :, : fold.width] = part
                arrivals[number, self.array.rows - fold.drain_rows(self.array) :] = 1
                number += 1
        wrong = np.argwhere((recording.results != results) | (recording.arrivals != arrivals))
        if not len(wrong):
            return ""
        place = tuple(wrong[0].tolist())
        return (
            f"fold {place[0]} row {place[1]} column {place[2]}: {recording.results[place]} left "
            f"{recording.arrivals[place]} times, NumPy's {results[place]} should leave {arrivals[place]} times"
        )


def make_array(shape: tuple[int, int], policy: WeightLoading, drain_rows: WeightLoadRows, port_bits: int) -> Array:
    """An array of plain INT8 PEs."""
    return Array(
        name="array",
        rows=shape[0],
        columns=shape[1],
        dataflow=Dataflow.OUTPUT_STATIONARY,
        pe_style="plain",
        modes=((BITS, BITS),),
        weight_loading=policy,
        weight_load_rows=drain_rows,
        weight_port_bits=port_bits,
        accumulator_bits=32,
    )


def make_gemm(array: Array, groups: tuple[int, ...], activations: Codes, weights: Codes) -> Gemm:
    """A GEMM whose rows come in groups, cut into folds without gaps."""
    k, n = weights.shape
    runs = tuple(RowRun(rows, array.mode(BITS, BITS)) for rows in groups)
    return Gemm(output_folds(array, Problem(runs, n, k)), activations, weights)


def draw_case(seed: int, number: int, shape: tuple[int, int]) -> Case:
    """Random case `number` of a seed: one to three GEMMs of up to 4 x 3 tiles, in half of the cases steps withheld."""
    draw = np.random.default_rng((seed, number))
    policy, drain_rows, port_cycles = ARRAYS[number % len(ARRAYS)]
    array = make_array(shape, policy, drain_rows, draw_port_bits(draw, BITS * shape[1], port_cycles))
    withheld = bool(draw.integers(2))
    gemms = tuple(_gemm(draw, array, withheld) for _ in range(draw.integers(1, 4)))
    return Case(array, gemms, int(draw.integers(1, 2**31)))


def _gemm(draw: np.random.Generator, array: Array, withheld: bool) -> Gemm:
    n, k = int(draw.integers(1, 3 * array.columns + 1)), one_of(draw, (1, 2, array.rows, int(draw.integers(1, 65))))
    groups = tuple(draw.integers(1, 3 * array.rows // 2 + 1, draw.integers(1, 3)).tolist())
    values = one_of(draw, tuple(Values))
    activations, weights = (draw_codes(draw, values, BITS, size) for size in ((sum(groups), k), (k, n)))
    gemm = make_gemm(array, groups, activations, weights)
    if not withheld:
        return gemm
    return replace(gemm, folds=tuple(replace(fold, step_gaps=draw_gaps(draw, k, 0.4)) for fold in gemm.folds))
