"""Codes of two regions in the array: flag, magnitude and shift in every PE, in every style and dataflow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.array import regions as array_regions
from mixarray.array.events import Integers
from mixarray.array.fold import RowRun
from mixarray.array.functional import run_functional
from mixarray.array.functional_parts import AccumulatorOverflowError
from mixarray.array.problem import Problem, gemm_problem
from mixarray.array.regions import Regions
from mixarray.errors import InputError
from mixarray_analysis.validation.arrays import make_array, mode_sets, served_pairs
from mixarray_analysis.validation.functional_cases import draw_codes

PACKED = mode_sets("packed_w4")[0]
WS, IS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY, Dataflow.OUTPUT_STATIONARY
GELU, SOFTMAX = Regions(8, 3, negative=True), Regions(8, 4, negative=False)


def meant(codes: Integers, regions: Regions) -> Integers:
    """What codes stand for, one at a time, from the definition alone."""
    half = 1 << (regions.bits - 1)

    def number(code: int) -> int:
        if code < 0:
            return (code + half) << regions.shift
        return -code if regions.negative else code

    return np.array([number(code) for code in codes.ravel().tolist()], np.int64).reshape(codes.shape)


@pytest.mark.parametrize(("style", "dataflow"), served_pairs())
@pytest.mark.parametrize("regions", [GELU, SOFTMAX], ids=["gelu", "softmax"])
def test_every_style_and_dataflow(style: str, dataflow: Dataflow, regions: Regions) -> None:
    """Activations of two regions by weights; an input-stationary array holds them, and their flags with them."""
    modes = mode_sets(style)[-1]
    array = make_array((4, 8), style, dataflow, modes)
    draw = np.random.default_rng(3)
    bits = max((stationary, stream) if dataflow is IS else (stream, stationary) for stream, stationary in modes)
    mine = Regions(bits[0], min(regions.shift, bits[0]), regions.negative)
    activations, weights = draw_codes(draw, (7, 19), bits[0]), draw_codes(draw, (19, 11), bits[1])
    problem = gemm_problem(array, (7, 11, 19), bits, mine)
    expected = meant(activations, mine) @ weights
    if dataflow is IS:
        found = run_functional(array, problem, weights.T, activations.T).T
    else:
        found = run_functional(array, problem, activations, weights)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("loading", WeightLoading)
def test_branches_of_other_shifts_share_folds_with_plain_rows(loading: WeightLoading) -> None:
    """Packed W4: two branches and plain rows stream through one tile; each row is shifted by its own m."""
    array = make_array((4, 4), "packed_w4", WS, PACKED, loading)
    low = Regions(4, 1, negative=True)
    runs = (
        RowRun(3, array.mode(8, 4), GELU),
        RowRun(2, array.mode(8, 4)),
        RowRun(4, array.mode(4, 4), low),
        RowRun(2, array.mode(8, 8), SOFTMAX),
    )
    draw = np.random.default_rng(5)
    left = np.concatenate([draw_codes(draw, (run.rows, 13), run.mode.stream_bits) for run in runs])
    right = draw_codes(draw, (13, 6), 4)
    wanted = np.concatenate([meant(left[:3], GELU), left[3:5], meant(left[5:9], low), meant(left[9:], SOFTMAX)])
    assert np.array_equal(run_functional(array, Problem(runs, 6, 13), left, right), wanted @ right)


def test_codes_narrower_than_their_mode_keep_their_own_flag() -> None:
    """6-bit codes run in 8-bit modes: the flag is bit 5 of them, not bit 7 of the mode."""
    array, narrow = make_array((4, 4), "plain", WS, ((8, 8),)), Regions(6, 2, negative=True)
    draw = np.random.default_rng(2)
    left, right = draw_codes(draw, (5, 9), 6), draw_codes(draw, (9, 3), 8)
    found = run_functional(array, gemm_problem(array, (5, 3, 9), (8, 8), narrow), left, right)
    assert np.array_equal(found, meant(left, narrow) @ right)
    with pytest.raises(InputError, match=r"100 is outside -32 \.\. 31 of 6 signed bits"):
        run_functional(array, gemm_problem(array, (1, 1, 1), (8, 8), narrow), np.array([[100]]), np.array([[1]]))


@pytest.mark.parametrize("fault", ["no shift", "shift without flag", "sign", "flag multiplied"])
@pytest.mark.parametrize("dataflow", [WS, OS])
def test_faulty_pes_are_noticed(fault: str, dataflow: Dataflow, monkeypatch: pytest.MonkeyPatch) -> None:
    array = make_array((4, 4), "plain", dataflow, ((8, 8),))
    draw = np.random.default_rng(4)
    left, right = draw_codes(draw, (5, 9), 8), draw_codes(draw, (9, 6), 8)
    expected, problem = meant(left, GELU) @ right, gemm_problem(array, (5, 6, 9), (8, 8), GELU)
    assert np.array_equal(run_functional(array, problem, left, right), expected)

    def broken(codes: Integers, others: Integers, entries: Integers, tags: Integers) -> Integers:
        mask, shift, sign = entries[:, tags]
        magnitudes = (codes if fault == "flag multiplied" else codes & mask) * others
        shifted = magnitudes << (0 if fault == "no shift" else shift)
        plain = shifted if fault == "shift without flag" else magnitudes * (1 if fault == "sign" else sign)
        return np.where(mask > 0, np.where(codes < 0, shifted, plain), codes * others)

    module = "functional_output" if dataflow is OS else "functional_stationary"
    monkeypatch.setattr(f"mixarray.array.{module}.products_of", broken)
    assert not np.array_equal(run_functional(array, problem, left, right), expected)


@given(st.integers(0, 2**31), st.integers(2, 8), st.booleans())
def test_products_equal_the_definition(seed: int, bits: int, negative: bool) -> None:
    draw = np.random.default_rng(seed)
    regions = Regions(bits, int(draw.integers(0, bits + 1)), negative)
    codes, others = draw_codes(draw, (4, 10), bits), draw_codes(draw, (4, 10), 8)
    tags = draw.integers(0, 2, codes.shape)
    found = array_regions.products(codes, others, array_regions.region_entries([regions, None]), tags)
    assert np.array_equal(found, np.where(tags == 0, meant(codes, regions), codes) * others)


def test_a_shifted_sum_that_leaves_the_accumulator_is_named() -> None:
    wide, narrow = (
        make_array((4, 4), "plain", WS, ((8, 8),)).model_copy(update={"accumulator_bits": bits}) for bits in (24, 16)
    )
    left, right = np.full((1, 3), -1), np.full((3, 1), 127)  # flag and magnitude 127: 127 << 3 each
    problem = gemm_problem(wide, (1, 1, 3), (8, 8), GELU)
    assert run_functional(wide, problem, left, right).tolist() == [[3 * (127 << 3) * 127]]
    with pytest.raises(AccumulatorOverflowError, match="does not fit 16 signed bits"):
        run_functional(narrow, problem, left, right)


def test_held_in_slices_there_is_no_flag() -> None:
    """The (8,8) mode of a packed PE holds the nibbles of a stationary value: nothing says which has the flag."""
    array = make_array((4, 4), "packed_w4", WS, PACKED)
    problem = Problem((RowRun(1, array.mode(8, 8)),), 1, 1, held=GELU)
    with pytest.raises(InputError, match="cannot be held in slices"):
        run_functional(array, problem, np.array([[1]]), np.array([[1]]))


@pytest.mark.parametrize(("bits", "shift"), [(1, 0), (4, 5), (4, -1)])
def test_impossible_regions_are_refused(bits: int, shift: int) -> None:
    with pytest.raises(ValueError, match="allowed"):
        Regions(bits, shift, negative=True)
