"""Active cycles per PE from the events: what the functional model counts, and what the modes say."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.array.fold import OutputFold, RowRun, StationaryFold
from mixarray.array.problem import Problem, expand_folds, folds
from mixarray.array.utilization import utilization
from mixarray_analysis.validation.arrays import make_array, mode_sets
from mixarray_analysis.validation.functional_cases import draw_case

PACKED = mode_sets("packed_w4")[0]


@pytest.mark.parametrize("number", range(40))
def test_it_is_what_the_functional_model_counts(number: int) -> None:
    case = draw_case(11, number)
    counted = utilization(case.array, case.folds, case.expansion)
    assert np.array_equal(counted.active_cycles, case.run().active_cycles), case.words
    assert counted.total_cycles == case.expansion.total_cycles


@given(st.integers(0, 2**32), st.integers(0, 39))
def test_its_sum_is_what_modes_and_tiles_say(seed: int, number: int) -> None:
    case = draw_case(seed, number)
    active = utilization(case.array, case.folds, case.expansion).active_cycles
    stationary = sum(
        run.rows * run.mode.active_rows(fold.depth, case.array.rows) * fold.width
        for fold in case.folds
        if isinstance(fold, StationaryFold)
        for run in fold.runs
    )
    output = sum(fold.height * fold.width * fold.depth for fold in case.folds if isinstance(fold, OutputFold))
    assert active.sum() == stationary + output


def test_a_full_array_is_busy_but_for_loading_and_travel() -> None:
    array = make_array((4, 4), "plain", Dataflow.WEIGHT_STATIONARY, ((8, 8),))
    problem = Problem((RowRun(100, array.pe_modes[0]),), 4, 4)
    stream = folds(array, problem)
    found = utilization(array, stream, expand_folds(array, stream))
    assert found.active_cycles.tolist() == [[100] * 4] * 4
    assert found.total_cycles == 4 + 100 + 6
    assert found.overall == pytest.approx(100 / 110)
    assert np.array_equal(found.share, np.full((4, 4), 100 / 110))


def test_edges_leave_rows_and_columns_idle() -> None:
    array = make_array((4, 4), "packed_w4", Dataflow.WEIGHT_STATIONARY, PACKED, WeightLoading.SERIAL)
    problem = Problem((RowRun(10, array.mode(8, 4)),), 3, 6)
    stream = folds(array, problem)
    active = utilization(array, stream, expand_folds(array, stream)).active_cycles
    assert active.tolist() == [[20, 20, 20, 0]] * 2 + [[10, 10, 10, 0]] * 2


def test_output_stationary_tiles_lie_on_the_last_rows() -> None:
    array = make_array((4, 4), "plain", Dataflow.OUTPUT_STATIONARY, ((8, 8),))
    stream = folds(array, Problem((RowRun(5, array.pe_modes[0]),), 3, 10))
    active = utilization(array, stream, expand_folds(array, stream)).active_cycles
    assert active.tolist() == [[10, 10, 10, 0]] * 3 + [[20, 20, 20, 0]]


def test_thousands_of_folds_are_quick() -> None:
    array = make_array((32, 32), "packed_w4", Dataflow.WEIGHT_STATIONARY, PACKED)
    stream = folds(array, Problem((RowRun(49, array.mode(8, 8)),), 49, 32)) * 1500
    expansion = expand_folds(array, stream)
    began = time.process_time()
    found = utilization(array, stream, expansion)
    assert time.process_time() - began < 5
    assert found.active_cycles[:, :17].tolist() == [[1500 * 2 * 2 * 49] * 17] * 32
    assert found.active_cycles[:, 17:].tolist() == [[1500 * 2 * 49] * 15] * 32
