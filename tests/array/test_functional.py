"""Registers moved by the array model's events form PyTorch's integer products, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow, WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Bits, Mode
from mixarray.array.events import Integers
from mixarray.array.fold import RowRun
from mixarray.array.functional import run_functional
from mixarray.array.functional_parts import EventMismatchError
from mixarray.array.problem import Problem, transposed
from mixarray.errors import InputError
from mixarray_analysis.validation.arrays import make_array, mode_sets, served_pairs
from mixarray_analysis.validation.checks.functional import CHECK, difference
from mixarray_analysis.validation.functional_cases import SHAPES, draw_case, draw_codes, draw_operands, make_case
from mixarray_analysis.validation.functional_faults import FAULTS, Fault, load_early, packed_case
from mixarray_analysis.validation.model_faults import EMPTY_SLOTS_PASS, ModelFault, in_model

PACKED = mode_sets("packed_w4")[0]
WS, IS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY, Dataflow.OUTPUT_STATIONARY
INT8: tuple[Bits, ...] = ((8, 8),)


def product(left: Integers, right: Integers) -> Integers:
    """PyTorch's product; int32 and int64 must agree, as no sum here leaves 32 bits."""
    wide = torch.from_numpy(left) @ torch.from_numpy(right)
    narrow = torch.from_numpy(left.astype(np.int32)) @ torch.from_numpy(right.astype(np.int32))
    assert torch.equal(wide, narrow.long())
    return wide.numpy()


def problem_of(array: Array, runs: list[tuple[int, Bits]], n: int, k: int) -> Problem:
    return Problem(tuple(RowRun(rows, array.mode(*bits)) for rows, bits in runs), n, k)


def agrees(array: Array, problem: Problem, seed: int = 0) -> bool:
    left, right = draw_operands(np.random.default_rng(seed), problem)
    return np.array_equal(run_functional(array, problem, left, right), product(left, right))


@pytest.mark.parametrize("number", range(2 * len(SHAPES) * len(served_pairs())))
def test_random_problems_of_every_shape_style_and_dataflow(number: int) -> None:
    case = draw_case(7, number)
    assert np.array_equal(case.run().outputs, product(case.streaming, case.stationary)), case.words


@pytest.mark.parametrize("loading", WeightLoading)
@pytest.mark.parametrize("load_rows", WeightLoadRows)
@pytest.mark.parametrize("port_cycles", [1, 3])
def test_mixed_rows_under_every_policy(loading: WeightLoading, load_rows: WeightLoadRows, port_cycles: int) -> None:
    array = make_array((8, 4), "packed_w4", WS, PACKED, loading, load_rows, -(-4 * 8 // port_cycles))
    assert array.row_load_cycles == port_cycles
    problem = problem_of(array, [(3, (8, 4)), (4, (4, 4)), (1, (8, 4)), (2, (8, 8)), (2, (4, 4))], n=10, k=27)
    assert agrees(array, problem)


@pytest.mark.parametrize("dataflow", Dataflow)
@pytest.mark.parametrize("loading", WeightLoading)
@pytest.mark.parametrize("load_rows", WeightLoadRows)
def test_plain_arrays_under_every_policy(dataflow: Dataflow, loading: WeightLoading, load_rows: WeightLoadRows) -> None:
    array = make_array((4, 8), "plain", dataflow, INT8, loading, load_rows)
    assert agrees(array, problem_of(array, [(9, (8, 8))], n=17, k=10))


@pytest.mark.parametrize(("style", "dataflow"), served_pairs())
@pytest.mark.parametrize(
    ("m", "n", "k"), [(1, 1, 1), (1, 9, 1), (1, 1, 23), (5, 1, 1), (4, 4, 4), (5, 5, 5), (8, 3, 9)]
)
def test_edges_and_sizes_that_fill_nothing(style: str, dataflow: Dataflow, m: int, n: int, k: int) -> None:
    modes = mode_sets(style)[-1]
    array = make_array((4, 4), style, dataflow, modes)
    for bits in modes:
        assert agrees(array, problem_of(array, [(m, bits)], n, k))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_arrays_of_one_row_or_column(shape: tuple[int, int]) -> None:
    for style, dataflow in served_pairs():
        modes = mode_sets(style)[-1]
        array = make_array(shape, style, dataflow, modes)
        assert agrees(array, problem_of(array, [(3, bits) for bits in modes], n=6, k=7))


def test_input_stationary_is_the_transposed_problem() -> None:
    array = make_array((8, 4), "plain", IS, ((4, 8),))
    draw = np.random.default_rng(1)
    activations, weights = draw_codes(draw, (13, 21), 8), draw_codes(draw, (21, 10), 4)
    problem = transposed(13, 10, 21, 8, 4, array)
    result = run_functional(array, problem, weights.T, activations.T)
    assert np.array_equal(result.T, product(activations, weights))


@pytest.mark.parametrize(("style", "dataflow"), served_pairs())
def test_negative_extremes_over_a_long_reduction(style: str, dataflow: Dataflow) -> None:
    array = make_array((8, 8), style, dataflow, mode_sets(style)[-1])
    problem = problem_of(array, [(3, (8, 8))], n=9, k=500)
    low = run_functional(array, problem, np.full((3, 500), -128), np.full((500, 9), -128))
    assert np.array_equal(low, np.full((3, 9), 128 * 128 * 500))
    mixed = run_functional(array, problem, np.full((3, 500), -128), np.full((500, 9), 127))
    assert np.array_equal(mixed, np.full((3, 9), -128 * 127 * 500))


def test_4_bit_extremes_in_every_packed_mode() -> None:
    array = make_array((4, 4), "packed_w4", WS, PACKED)
    problem = problem_of(array, [(2, (8, 4)), (2, (4, 4))], n=4, k=21)
    left = np.concatenate([np.full((2, 21), -128), np.full((2, 21), -8)])
    assert np.array_equal(
        run_functional(array, problem, left, np.full((21, 4), -8))[:, 0], np.array([1024, 1024, 64, 64]) * 21
    )


def test_probabilities_of_unsigned_origin_need_only_their_correction() -> None:
    """0..255 enters as signed codes; the zero point's share is a column sum, outside the array (design 3)."""
    draw = np.random.default_rng(2)
    probabilities = draw.integers(0, 256, (49, 49))
    probabilities[0], probabilities[1] = 0, 255
    values = draw_codes(draw, (49, 32), 8)
    array = make_array((16, 16), "packed_w4", WS, PACKED)
    problem = problem_of(array, [(49, (8, 8))], n=32, k=49)
    sums = run_functional(array, problem, probabilities - 128, values)
    assert np.array_equal(sums + 128 * values.sum(axis=0), product(probabilities, values))


@given(st.integers(0, 2**32), st.integers(0, 19), st.integers(0, 3))
def test_withheld_rows_change_no_result(seed: int, number: int, gaps_seed: int) -> None:
    drawn = draw_case(seed, number)
    case = make_case(drawn.array, drawn.problem, drawn.streaming, drawn.stationary, np.random.default_rng(gaps_seed))
    assert np.array_equal(case.run().outputs, drawn.streaming @ drawn.stationary), case.words


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("seed", range(3))
def test_faults_are_noticed(fault: Fault, seed: int) -> None:
    case = fault.make(seed)
    expected = product(case.streaming, case.stationary)
    assert difference(case.run, expected) == ""
    assert difference(lambda: fault.run(case), expected)


def test_loads_have_one_cycle_of_slack_and_no_more() -> None:
    """A register is written at the end of a cycle, so a load may follow the last pass in the same cycle."""
    case = packed_case((8, 4), WeightLoading.SINGLE)(0)
    expected = product(case.streaming, case.stationary)
    assert np.array_equal(load_early(case, cycles=1).outputs, expected)
    assert not np.array_equal(load_early(case, cycles=2).outputs, expected)


def test_two_rows_cannot_enter_in_one_cycle() -> None:
    case = packed_case((8, 4), WeightLoading.DOUBLE)(0)
    log = case.expansion.log
    cycle = np.where((log.event == 1) & (log.row == 1) & (log.pass_number == 0), log.cycle - 1, log.cycle)
    with pytest.raises(EventMismatchError, match="two events enter at once"):
        case.run(replace(log, cycle=np.sort(cycle)))


@pytest.mark.parametrize(
    ("left", "right", "named"),
    [
        (np.full((2, 3), 128), np.zeros((3, 2), int), "streaming operand: row 0, column 0: 128 is outside -128 .. 127"),
        (np.zeros((2, 3), int), np.full((3, 2), -129), "stationary operand: row 0, column 0: -129 is outside"),
        (
            np.zeros((3, 2), int),
            np.zeros((3, 2), int),
            r"streaming operand: has shape \(3, 2\); the problem says \(2, 3\)",
        ),
        (np.zeros((2, 3)), np.zeros((3, 2), int), "streaming operand: holds float64"),
    ],
)
def test_operands_that_cannot_enter_are_refused(left: Integers, right: Integers, named: str) -> None:
    array = make_array((4, 4), "plain", WS, INT8)
    with pytest.raises(InputError, match=named):
        run_functional(array, problem_of(array, [(2, (8, 8))], 2, 3), left, right)


def test_rows_are_held_to_their_own_mode() -> None:
    array = make_array((4, 4), "packed_w4", WS, PACKED)
    problem = problem_of(array, [(1, (8, 4)), (1, (4, 4))], n=1, k=2)
    left = np.array([[100, 0], [0, 100]])
    with pytest.raises(InputError, match=r"row 1, column 1: 100 is outside -8 \.\. 7 of 4 signed bits"):
        run_functional(array, problem, left, np.ones((2, 1), int))


def test_random_cases_waste_no_pass_and_a_second_pass_for_every_8_bit_row_is_noticed() -> None:
    assert CHECK.run(60, 3, lambda _: None).mismatches == 0
    with in_model(EMPTY_SLOTS_PASS):
        outcome = CHECK.run(60, 3, lambda _: None)
    assert outcome.mismatches > 0
    assert "passes meet no value" in outcome.first_mismatch


def test_a_model_that_names_slots_that_do_not_exist_is_a_mismatch_and_no_crash() -> None:
    always_two = ModelFault("two passes always", (Mode,), "passes", lambda mode, depth, array_rows: 2)
    with in_model(always_two):
        outcome = CHECK.run(20, 0, lambda _: None)
    assert outcome.mismatches > 0
    assert "IndexError" in outcome.first_mismatch


def test_an_overflow_is_a_mismatch_and_no_crash() -> None:
    case = packed_case((8, 8), WeightLoading.DOUBLE)(0)
    narrow = replace(case, array=case.array.model_copy(update={"accumulator_bits": 8}))
    assert "AccumulatorOverflowError: row" in difference(narrow.run, product(case.streaming, case.stationary))
