"""The packed W4 array in SystemVerilog against the array model and NumPy; what it does on paper, and at odd sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mixarray.accelerator.model import Array
from mixarray.array.events import ArrayEvent
from mixarray.array.fold import RowRun
from mixarray.array.problem import Problem, stationary_folds
from mixarray_analysis.validation.checks.rtl_packed_w4 import CHECK
from mixarray_analysis.validation.rtl.bench import build_folder
from mixarray_analysis.validation.rtl.packed_w4 import Recording, build_packed_w4, run
from mixarray_analysis.validation.rtl.packed_w4_cases import draw_case
from mixarray_analysis.validation.rtl.packed_w4_feed import MODES, Gemm

pytestmark = [pytest.mark.full, pytest.mark.needs("verilator")]

Builder = Callable[[int, int], Path]


@pytest.fixture(scope="module")
def library() -> Builder:
    return lambda rows, columns: build_packed_w4(rows, columns, build_folder())


def array_of(policy: str, rows: int = 4, columns: int = 4, port_bits: int = 64) -> Array:
    return Array.model_validate(
        {
            "name": "array",
            "rows": rows,
            "columns": columns,
            "dataflow": "weight_stationary",
            "pe_style": "packed_w4",
            "modes": MODES,
            "weight_loading": policy,
            "weight_load_rows": "all",
            "weight_port_bits": port_bits,
            "accumulator_bits": 32,
        }
    )


def gemm(array: Array, runs: tuple[tuple[int, tuple[int, int]], ...], n: int, k: int, fill: int = 1) -> Gemm:
    problem = Problem(tuple(RowRun(rows, array.mode(*mode)) for rows, mode in runs), n, k)
    activations, weights = np.full((problem.m, k), fill, np.int8), np.full((k, n), fill, np.int8)
    return Gemm(stationary_folds(array, problem), activations, weights)


def last_compute(recording: Recording) -> int:
    return int(recording.log.of(ArrayEvent.COMPUTE).cycle.max())


def test_random_gemms_agree_in_every_event_and_every_sum() -> None:
    outcome = CHECK.run(CHECK.cases, 1, lambda done: None)
    assert (outcome.mismatches, outcome.first_mismatch) == (0, "")
    assert outcome.cases >= 1000


@pytest.mark.parametrize(("policy", "total"), [("serial", 66), ("single", 48), ("double", 36)])
def test_the_worked_example_takes_in_hardware_what_it_takes_on_paper(library: Builder, policy: str, total: int) -> None:
    array = array_of(policy)
    work = gemm(array, ((2, (4, 4)), (3, (8, 4))), n=6, k=12)
    assert last_compute(run(library(4, 4), array, [work])) + 1 == total


def test_all_least_codes_multiply_in_every_mode(library: Builder) -> None:
    array = array_of("double")
    works = [gemm(array, ((3, (stream, stay)),), 4, 8) for stream, stay in MODES]
    least = [
        replace(work, activations=-work.activations << stream - 1, weights=-work.weights << stay - 1)
        for work, (stream, stay) in zip(works, MODES, strict=True)
    ]
    results = run(library(4, 4), array, least).results
    assert [np.unique(result).tolist() for result in results] == [[8 * 8 * 8], [8 * 128 * 8], [8 * 128 * 128]]


def test_a_slot_that_holds_nothing_costs_no_pass(library: Builder) -> None:
    array = array_of("single")
    log = run(library(4, 4), array, [gemm(array, ((5, (8, 4)),), n=4, k=4)]).log
    assert len(log.of(ArrayEvent.ROW_ISSUE)) == 5
    log = run(library(4, 4), array, [gemm(array, ((5, (8, 4)),), n=4, k=5)]).log
    assert len(log.of(ArrayEvent.ROW_ISSUE)) == 10


def test_withheld_rows_are_bubbles(library: Builder) -> None:
    array = array_of("single")
    work = gemm(array, ((3, (4, 4)),), n=4, k=8)
    held = replace(work, folds=tuple(replace(f, load_gaps=(2, 0, 0, 0), row_gaps=(0, 5, 0)) for f in work.folds))
    prompt, late = run(library(4, 4), array, [work]), run(library(4, 4), array, [held])
    assert last_compute(late) == last_compute(prompt) + 7
    assert late.log.cycle[0] == 2, "cycle 0 is the first opportunity, not the first event"


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 5), (3, 1), (2, 7)])
def test_odd_sizes_agree_too(library: Builder, rows: int, columns: int) -> None:
    disagreements = [draw_case(2, number, (rows, columns)).compare(library(rows, columns)) for number in range(60)]
    assert set(disagreements) == {""}


def test_a_library_of_another_size_is_refused(library: Builder) -> None:
    array = array_of("single", rows=8)
    with pytest.raises(ValueError, match="4x4, the array 8x4"):
        run(library(4, 4), array, [gemm(array, ((1, (4, 4)),), 1, 1)])
