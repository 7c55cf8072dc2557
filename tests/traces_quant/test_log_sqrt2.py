"""Log-sqrt2 codes: levels by hand, zero, the cap, and products by shift and add."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixarray_traces.quantization.affine import AffineParams
from mixarray_traces.quantization.arithmetic import Calibration
from mixarray_traces.quantization.integer import IntegerArithmetic
from mixarray_traces.quantization.log_sqrt2 import LogSqrt2Params

ROOT = math.sqrt(2)


def test_levels_by_hand() -> None:
    """4 bits, step 1: exponents 0 to 14 at codes -8 to 6, zero at code 7."""
    values = torch.tensor([1.0, 0.70, 0.5, 0.36, 0.25, 2**-7, 2**-7.3, 2**-9, 0.0, 1.7, -0.1], dtype=torch.float64)
    params = LogSqrt2Params(4, 1.0)
    # round(-2 log2): 0, 1.03, 2, 2.95, 4, 14, 14.6, 18, none; above the step is clipped; below 0 is 0.
    assert params.codes(values).tolist() == [-8, -7, -6, -5, -4, 6, 7, 7, 7, -8, 7]
    expected = [1, 1 / ROOT, 1 / 2, 1 / (2 * ROOT), 1 / 4, 2**-7, 0, 0, 0, 1, 0]
    assert params.multiplicands(values).tolist() == pytest.approx(expected, abs=1e-15)


def test_an_extra_zero_leaves_every_code_a_value() -> None:
    params = LogSqrt2Params(4, 1.0, extra_zero=True)
    values = torch.tensor([2**-7.5, 2**-7.8, 0.0], dtype=torch.float64)
    assert params.codes(values).tolist() == [7, 8, 8]
    assert params.multiplicands(values).tolist() == [pytest.approx(2**-7.5), 0, 0]
    assert params.flags_zero
    assert not LogSqrt2Params(8, 1.0, extra_zero=True).flags_zero, "capped: 8 bits have room for a zero"


@pytest.mark.parametrize("shift", [1, 3, 15])
def test_what_is_shifted_beyond_the_cap_is_zero(shift: int) -> None:
    params = LogSqrt2Params(8, 1.0, largest_shift=shift)
    exponents = torch.arange(0, 256, dtype=torch.float64)
    found = params.multiplicands(torch.exp2(-exponents / 2))
    assert torch.equal(found > 0, exponents <= 2 * shift)
    assert int(params.codes(torch.zeros(1))[0]) == 127


@given(st.integers(2, 8), st.integers(1, 31), st.booleans(), st.floats(0.01, 10))
def test_terms_are_integers_that_sum_to_the_multiplicands(bits: int, shift: int, extra: bool, step: float) -> None:
    params = LogSqrt2Params(bits, step, shift, extra)
    values = torch.cat([torch.zeros(1), torch.logspace(-6, 1, 60)]).double()
    even, odd = params.terms(values)
    assert torch.equal(even.codes, even.codes.round())
    assert torch.equal(odd.codes, odd.codes.round())
    assert not bool((even.codes * odd.codes).any()), "an exponent is even or odd"
    total = even.factor * even.codes + odd.factor * odd.codes
    torch.testing.assert_close(total, params.multiplicands(values), rtol=1e-14, atol=0)


def shift_add(weights: list[float], codes: list[int], zero: int, params: LogSqrt2Params) -> float:
    """One result as hardware makes it: two accumulators of shifted integers, joined once."""
    even = odd = 0
    for weight, code in zip(weights, codes, strict=True):
        exponent = int(params.codes(torch.tensor([weight]).double())[0]) - params.zero_point
        if exponent <= params.last_exponent:
            shifted = (code - zero) << (params.largest_shift - -(-exponent // 2))
            even, odd = (even, odd + shifted) if exponent % 2 else (even + shifted, odd)
    return (even + ROOT * odd) / 2**params.largest_shift


@pytest.mark.parametrize("extra", [False, True])
@pytest.mark.parametrize("bits", [4, 8])
def test_the_integer_mode_is_shift_and_add(bits: int, extra: bool) -> None:
    generator = torch.Generator().manual_seed(bits)
    left = torch.softmax(4 * torch.randn(2, 3, 49, generator=generator, dtype=torch.float64), dim=-1)
    right = torch.randn(2, 49, 5, generator=generator, dtype=torch.float64)
    one, other = LogSqrt2Params(bits, 0.9, extra_zero=extra), AffineParams(bits, 0.02, 3)
    arithmetic = IntegerArithmetic({}, Calibration({("av.left", bits): one, ("av.right", bits): other}, {}))
    found = arithmetic.matmul("av", left, right, bits) / (0.9 * 0.02)
    codes = other.codes(right).long()
    for batch, row, column in ((0, 0, 0), (1, 2, 4), (0, 1, 3)):
        expected = shift_add(left[batch, row].tolist(), codes[batch, :, column].tolist(), 3, one)
        assert float(found[batch, row, column]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("step", "shift"), [(0.0, 15), (float("nan"), 15), (1.0, 0), (1.0, 32)])
def test_impossible_quantizers_are_refused(step: float, shift: int) -> None:
    with pytest.raises(ValueError, match=r"step|shift"):
        LogSqrt2Params(4, step, shift)
