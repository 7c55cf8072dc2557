"""A GEMM in folds: their order in every dataflow, and that they are expanded in the dataflow they were cut for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.array.fold import RowRun
from mixarray.array.problem import Problem, expand, expand_folds, folds, gemm_problem, transposed
from mixarray_analysis.validation.arrays import make_array, mode_sets

WS, IS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY, Dataflow.OUTPUT_STATIONARY


def plain(dataflow, rows=4, columns=3):
    return make_array((rows, columns), "plain", dataflow, ((8, 8),))


def test_output_stationary_keeps_a_column_while_its_rows_pass():
    """Runs outside, columns of N, rows inside: what the mapping does, so that weights of a column are read together."""
    array = plain(OS)
    mode = array.mode(8, 8)
    stream = folds(array, Problem((RowRun(5, mode), RowRun(4, mode)), n=5, k=7))
    assert [(fold.first_row, fold.height, fold.first_n, fold.width) for fold in stream] == [
        *((0, 4, 0, 3), (4, 1, 0, 3), (0, 4, 3, 2), (4, 1, 3, 2)),
        *((5, 4, 0, 3), (5, 4, 3, 2)),
    ]
    assert {fold.depth for fold in stream} == {7}


def test_stationary_folds_have_k_inside_columns_inside_layouts():
    array = make_array((4, 3), "packed_w4", WS, mode_sets("packed_w4")[0])
    runs = RowRun(2, array.mode(8, 4)), RowRun(1, array.mode(4, 4)), RowRun(5, array.mode(8, 8))
    stream = folds(array, Problem(runs, n=4, k=9))
    assert [(fold.first_row, fold.first_n, fold.first_k, fold.depth) for fold in stream] == [
        *((0, 0, 0, 8), (0, 0, 8, 1), (0, 3, 0, 8), (0, 3, 8, 1)),
        *((3, 0, 0, 4), (3, 0, 4, 4), (3, 0, 8, 1), (3, 3, 0, 4), (3, 3, 4, 4), (3, 3, 8, 1)),
    ]


@pytest.mark.parametrize("dataflow", Dataflow)
def test_a_gemm_in_its_dataflow(dataflow):
    array = plain(dataflow)
    problem = gemm_problem(array, (7, 5, 9), (8, 8))
    if dataflow is IS:
        assert problem == transposed(7, 5, 9, 8, 8, array)
        assert (problem.m, problem.n, problem.k) == (5, 7, 9)
    else:
        assert (problem.m, problem.n, problem.k) == (7, 5, 9)
    assert expand(array, problem).times == expand_folds(array, folds(array, problem)).times


def test_activations_and_weights_change_places_when_the_input_stays():
    """8-bit activations with 4-bit weights need a mode that streams 4 bits."""
    array = make_array((4, 3), "plain", IS, ((4, 8),))
    (run,) = gemm_problem(array, (7, 5, 9), (8, 4)).runs
    assert (run.rows, run.mode.stream_bits, run.mode.stationary_bits) == (5, 4, 8)


@pytest.mark.parametrize(("cut", "expanded"), [(WS, OS), (OS, WS)])
def test_folds_of_another_dataflow_are_refused(cut, expanded):
    array = plain(cut)
    stream = folds(array, gemm_problem(array, (7, 5, 9), (8, 8)))
    with pytest.raises(TypeError, match=f"{len(stream)} of {len(stream)} folds are no"):
        expand_folds(plain(expanded), stream)


@pytest.mark.parametrize("dataflow", Dataflow)
def test_the_total_is_that_of_the_log_alone(dataflow):
    array = plain(dataflow)
    expansion = expand(array, gemm_problem(array, (7, 5, 9), (8, 8)))
    assert expansion.total_cycles == max(max(t.stream_ready_cycles, t.other_ready_cycles) for t in expansion.times)
    later = replace(expansion, log=replace(expansion.log, cycle=expansion.log.cycle + 5))
    assert later.total_cycles == expansion.total_cycles + 5
