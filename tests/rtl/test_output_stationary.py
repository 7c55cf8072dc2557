"""The INT8 output-stationary array in SystemVerilog: every event and every sum, on square, flat and tiny arrays."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from mixarray.array.output import expand_output
from mixarray_analysis.validation.checks.rtl_output_stationary import (
    CHECK,
    FAULTS,
    SHAPES,
)
from mixarray_analysis.validation.rtl.build import rtl_dir
from mixarray_analysis.validation.rtl.difference import log_difference
from mixarray_analysis.validation.rtl.output_stationary import Tile, build_output_stationary, run
from mixarray_analysis.validation.rtl.output_stationary_cases import compare, make_case

hardware = [pytest.mark.full, pytest.mark.needs("verilator")]


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    return tmp_path_factory.mktemp("output_stationary")


class TestHardware:
    pytestmark = hardware

    def test_every_log_and_every_sum_agree(self):
        done = []
        outcome = CHECK.run(CHECK.cases, 0, done.append)
        assert (outcome.cases, outcome.mismatches, outcome.first_mismatch) == (500, 0, "")
        assert sum(done) == 500

    @pytest.mark.parametrize("shape", [(1, 1), (1, 3), (5, 3)], ids=str)
    def test_odd_shapes_agree(self, shape, builds):
        library = build_output_stationary(*shape, builds)
        assert [compare(make_case(1, number, shape), library) for number in range(30)] == [""] * 30

    def test_a_wrong_sum_is_named_by_its_place(self, builds):
        library = build_output_stationary(4, 4, builds, FAULTS["sign"])
        found = [compare(make_case(0, number, (4, 4)), library) for number in range(10)]
        assert any(text.startswith("fold ") and "NumPy" in text for text in found)

    def test_a_wrong_cycle_is_named_by_its_line(self, builds):
        library = build_output_stationary(4, 4, builds, FAULTS["drain one cycle late"])
        assert "the model says" in compare(make_case(0, 0, (4, 4)), library)


def test_cases_reach_every_policy_shape_of_drain_port_width_and_both_kinds_of_supply():
    cases = [make_case(0, number, SHAPES[number % 5]) for number in range(200)]
    arrays = [case.array for case in cases]
    assert len({(array.weight_loading, array.weight_load_rows) for array in arrays}) == 6
    assert {array.row_load_cycles for array in arrays} == {1, 2, 3}
    withheld = sum(any(any(fold.step_gaps) for fold in case.folds) for case in cases)
    assert 60 < withheld < 140


def test_cases_let_drains_and_streams_wait_for_each_other():
    """Folds both shorter and longer than the drain before them, so that both sides of max(K, R) bind."""
    longer = {False: 0, True: 0}
    for number in range(60):
        case = make_case(0, number, SHAPES[number % 5])
        for fold, following in pairwise(case.folds):
            longer[following.depth * case.array.row_load_cycles > fold.drain_rows(case.array)] += 1
    assert min(longer.values()) > 50


def test_a_case_is_repeatable():
    first, second = make_case(3, 7, (8, 4)), make_case(3, 7, (8, 4))
    assert first.describe() == second.describe()
    assert first.folds == second.folds
    assert np.array_equal(first.gemms[0].weights, second.gemms[0].weights)


def test_a_missing_line_is_a_difference():
    case = make_case(0, 0, (4, 4))
    log = expand_output(case.array, case.folds).log
    assert log_difference(log, type(log)(*log.table()[:-1].T)).endswith("the hardware 'nothing'")
    assert log_difference(log, log) == ""


def test_an_array_that_this_hardware_is_not_is_refused(tmp_path):
    case = make_case(0, 0, (4, 4))
    fold = case.folds[0]
    tile = Tile(fold, np.zeros((fold.height, fold.depth), np.int8), np.zeros((fold.depth, fold.width), np.int8))
    with pytest.raises(ValueError, match="INT8"):
        run(tmp_path, case.array.model_copy(update={"modes": ((4, 4),)}), [tile])
    with pytest.raises(ValueError, match="folds"):
        run(tmp_path, case.array, [])
    with pytest.raises(ValueError, match="steps"):
        run(tmp_path, case.array, [replace(tile, fold=replace(fold, depth=2**16))])


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_exactly_one_place_in_the_sources(name):
    fault = FAULTS[name]
    assert (rtl_dir() / fault.file).read_text().count(fault.old) == 1
