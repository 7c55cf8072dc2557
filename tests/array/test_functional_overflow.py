"""A sum that leaves its register is an error exactly when a step of the true sum does; held against a plain loop."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Mode
from mixarray.array.events import Integers
from mixarray.array.fold import RowRun
from mixarray.array.functional import run_functional
from mixarray.array.functional_parts import AccumulatorOverflowError
from mixarray.array.problem import Problem
from mixarray_analysis.validation.arrays import make_array, mode_sets, served_pairs
from mixarray_analysis.validation.functional_cases import draw_operands

WS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.OUTPUT_STATIONARY


def column_sums(array: Array, mode: Mode, left: list[int], right: list[int]) -> Iterator[int]:
    """Every value of every sum of one result on a weight-stationary array, in order, in Python's integers."""
    total = 0
    split, rows = mode.slots_per_value, array.rows
    for first in range(0, len(left), mode.fold_depth(rows)):
        depth = min(mode.fold_depth(rows), len(left) - first)
        for number in range(mode.passes(depth, rows)):
            partial = 0
            for row in range(rows):
                places = [(number * mode.lanes + lane) * rows + row for lane in range(mode.lanes)]
                for k in [row] if split > 1 else places:
                    if k < depth:
                        weight = right[first + k]
                        nibble = weight >> 4 if number else weight & 15
                        partial += left[first + k] * (nibble if split > 1 else weight)
                yield partial
            total += partial << (4 * number if split > 1 else 0)
            yield total


def step_sums(left: list[int], right: list[int]) -> Iterator[int]:
    """The same on an output-stationary array: one product after the other."""
    total = 0
    for a, b in zip(left, right, strict=True):
        total += a * b
        yield total


def overflows(array: Array, problem: Problem, left: Integers, right: Integers) -> dict[tuple[int, int], set[int]]:
    """The sums that do not fit, by (row, column) of the result."""
    modes = [run.mode for run in problem.runs for _ in range(run.rows)]
    limit = 1 << (array.accumulator_bits - 1)
    found: dict[tuple[int, int], set[int]] = {}
    for row, mode in enumerate(modes):
        for column in range(problem.n):
            operands = left[row].tolist(), right[:, column].tolist()
            sums = step_sums(*operands) if array.dataflow is OS else column_sums(array, mode, *operands)
            wrong = {value for value in sums if not -limit <= value < limit}
            if wrong:
                found[row, column] = wrong
    return found


@given(
    st.integers(0, 2**32),
    st.sampled_from(served_pairs()),
    st.sampled_from(WeightLoading),
    st.integers(10, 21),
    st.booleans(),
)
def test_an_error_exactly_when_a_step_leaves_the_range(
    seed: int, pair: tuple[str, Dataflow], loading: WeightLoading, bits: int, extreme: bool
) -> None:
    style, dataflow = pair
    draw = np.random.default_rng(seed)
    modes = mode_sets(style)[-1]
    array = make_array((4, 4), style, dataflow, modes, loading, accumulator_bits=bits)
    runs = tuple(RowRun(int(draw.integers(1, 3)), mode) for mode in draw.permutation(np.array(array.pe_modes, object)))
    problem = Problem(runs[: draw.integers(1, len(runs) + 1)], int(draw.integers(1, 7)), int(draw.integers(1, 14)))
    left, right = draw_operands(draw, problem, extreme)
    expected = overflows(array, problem, left, right)
    if not expected:
        assert np.array_equal(run_functional(array, problem, left, right), left @ right)
        return
    with pytest.raises(AccumulatorOverflowError) as caught:
        run_functional(array, problem, left, right)
    assert caught.value.value in expected[caught.value.row, caught.value.column]
    assert caught.value.bits == bits


@pytest.mark.parametrize("dataflow", [WS, OS])
@pytest.mark.parametrize(
    ("left", "right", "fits"),
    [
        ([127, 1], [1, 0], True),
        ([127, 1], [1, 1], False),
        ([-128, 1], [1, 0], True),
        ([-128, -1], [1, 1], False),
        ([127, 1, -1], [1, 1, 1], False),  # on the way only: 127, 128, 127
        ([127, -1, 1], [1, 1, 1], True),  # the same values in another order: 127, 126, 127
    ],
)
def test_eight_bits_hold_minus_128_to_127(dataflow: Dataflow, left: list[int], right: list[int], fits: bool) -> None:
    array = make_array((4, 4), "plain", dataflow, ((8, 8),), accumulator_bits=8)
    problem = Problem((RowRun(1, array.pe_modes[0]),), 1, len(left))
    operands = np.array([left]), np.array([right]).T
    if fits:
        assert run_functional(array, problem, *operands) == operands[0] @ operands[1]
    else:
        with pytest.raises(AccumulatorOverflowError, match=r"row 0, column 0: the sum -?1\d\d does not fit 8 signed"):
            run_functional(array, problem, *operands)


def test_the_error_names_row_column_and_value() -> None:
    for dataflow in (WS, OS):
        array = make_array((4, 4), "plain", dataflow, ((8, 8),), accumulator_bits=16)
        problem = Problem((RowRun(7, array.pe_modes[0]),), 6, 3)
        left, right = np.zeros((7, 3), int), np.zeros((3, 6), int)
        left[5], right[:, 4] = -128, -128
        with pytest.raises(AccumulatorOverflowError) as caught:
            run_functional(array, problem, left, right)
        error = caught.value
        assert (error.row, error.column, error.value, error.bits) == (5, 4, 2 * 128 * 128, 16)


@pytest.mark.parametrize("dataflow", [WS, OS])
def test_the_widest_sums_are_exact(dataflow: Dataflow) -> None:
    """64-bit sums of 32-bit codes: 2**63 is one too many, and must not wrap to a sum that looks small."""
    array = make_array((4, 4), "plain", dataflow, ((32, 32),), accumulator_bits=64)
    low = -(1 << 31)
    problem = Problem((RowRun(1, array.pe_modes[0]),), 1, 6)
    with pytest.raises(AccumulatorOverflowError) as caught:
        run_functional(array, problem, np.full((1, 6), low), np.full((6, 1), low))
    assert caught.value.value == 1 << 63
    high = (1 << 31) - 1
    problem = Problem((RowRun(1, array.pe_modes[0]),), 1, 2)
    result = run_functional(array, problem, np.full((1, 2), low), np.full((2, 1), high))
    assert result.item() == 2 * low * high
