"""The INT8 output-stationary array in SystemVerilog: every event and every sum, on square, flat and tiny arrays."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from mixarray.array.output import expand_output
from mixarray_analysis.validation.checks.rtl_output_stationary import CHECK, FAULTS
from mixarray_analysis.validation.rtl.beats import beat_gaps
from mixarray_analysis.validation.rtl.bench import SHAPES, build_folder
from mixarray_analysis.validation.rtl.difference import log_difference
from mixarray_analysis.validation.rtl.output_stationary import SOURCES, Tile, build_output_stationary, run
from mixarray_analysis.validation.rtl.output_stationary_cases import ARRAYS, draw_case
from mixarray_analysis.validation.rtl.output_stationary_directed import deep, many_folds

hardware = [pytest.mark.full, pytest.mark.needs("verilator")]


class TestHardware:
    pytestmark = hardware

    def test_every_log_and_every_sum_agree(self):
        done = []
        outcome = CHECK.run(CHECK.cases, 0, done.append)
        assert (outcome.cases, outcome.mismatches, outcome.first_mismatch) == (500, 0, "")
        assert sum(done) == 500

    @pytest.mark.parametrize("shape", [(1, 1), (1, 3), (5, 3)], ids=str)
    def test_odd_shapes_agree(self, shape):
        rows, columns = shape
        library = build_output_stationary(rows, columns, build_folder())
        assert [draw_case(1, number, shape).compare(library) for number in range(30)] == [""] * 30

    def test_a_wrong_sum_is_named_by_its_place(self):
        library = build_output_stationary(4, 4, build_folder(), FAULTS["sign"])
        found = [draw_case(0, number, (4, 4)).compare(library) for number in range(10)]
        assert any(text.startswith("fold ") and "NumPy" in text for text in found)

    def test_a_library_of_another_size_is_refused(self):
        case = draw_case(0, 0, (4, 8))
        library = build_output_stationary(4, 4, build_folder())
        with pytest.raises(ValueError, match="4x4, the array 4x8"):
            case.record(library)

    def test_a_wrong_cycle_is_named_by_its_line(self):
        library = build_output_stationary(4, 4, build_folder(), FAULTS["drain one cycle late"])
        assert "the model says" in draw_case(0, 0, (4, 4)).compare(library)


def test_cases_take_every_policy_drain_and_port_width_in_turn_on_every_shape():
    cases = [draw_case(0, number, SHAPES[number % 5]) for number in range(5 * len(ARRAYS))]
    arrays = [case.array for case in cases]
    reached = {(a.rows, a.columns, a.weight_loading, a.weight_load_rows, a.row_load_cycles) for a in arrays}
    assert len(reached) == 5 * 3 * 2 * 3
    assert any(array.weight_port_bits % 8 for array in arrays)
    withheld = sum(any(any(fold.step_gaps) for fold in case.folds) for case in cases)
    assert len(cases) / 3 < withheld < 2 * len(cases) / 3


def test_steps_are_withheld_before_any_of_their_beats():
    array = next(case.array for n in range(9) if (case := draw_case(0, n, (4, 4))).array.row_load_cycles == 3)
    assert beat_gaps(array, 4, (5, 6, 0, 7)).tolist() == [[5, 0, 0], [0, 6, 0], [0, 0, 0], [7, 0, 0]]
    assert beat_gaps(array, 2, ()).tolist() == [[0] * 3] * 2


def test_directed_cases_fill_the_sums_and_the_numbers():
    product = [gemm.activations.astype(int) @ gemm.weights.astype(int) for gemm in deep((16, 16), 65_535).gemms]
    assert (product[0].max() > 2**29, product[0].min() < -(2**29)) == (True, True)
    small = deep((4, 4), 1031).gemms[0]
    assert abs(small.activations.astype(int) @ small.weights.astype(int)).min() > 2**23
    assert len(many_folds((4, 4)).folds) == 300


def test_cases_let_drains_and_streams_wait_for_each_other():
    """Folds both shorter and longer than the drain before them, so that both sides of max(K, R) bind."""
    longer = {False: 0, True: 0}
    for number in range(60):
        case = draw_case(0, number, SHAPES[number % 5])
        for fold, following in pairwise(case.folds):
            longer[following.depth * case.array.row_load_cycles > fold.drain_rows(case.array)] += 1
    assert min(longer.values()) > 50


def test_a_case_is_repeatable():
    first, second = draw_case(3, 7, (8, 4)), draw_case(3, 7, (8, 4))
    assert first.describe() == second.describe()
    assert first.folds == second.folds
    assert np.array_equal(first.gemms[0].weights, second.gemms[0].weights)


def test_a_missing_line_is_a_difference():
    case = draw_case(0, 0, (4, 4))
    log = expand_output(case.array, case.folds).log
    assert log_difference(log, type(log)(*log.table()[:-1].T)).endswith("the hardware 'nothing'")
    assert log_difference(log, log) == ""


def test_an_array_that_this_hardware_is_not_is_refused(tmp_path):
    case = draw_case(0, 0, (4, 4))
    fold = case.folds[0]
    tile = Tile(fold, np.zeros((fold.height, fold.depth), np.int8), np.zeros((fold.depth, fold.width), np.int8))
    with pytest.raises(ValueError, match="INT8"):
        run(tmp_path, case.array.model_copy(update={"modes": ((4, 4),)}), [tile])
    with pytest.raises(ValueError, match="folds"):
        run(tmp_path, case.array, [])
    with pytest.raises(ValueError, match="steps"):
        run(tmp_path, case.array, [replace(tile, fold=replace(fold, depth=2**16))])


def test_every_fault_lies_in_this_array():
    assert {patch.file for fault in FAULTS.values() for patch in fault} <= set(SOURCES)
