"""DFQ's interval: levels, borders, gradients, and exactness in both arithmetics."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixarray.trace.model import Encoding
from mixarray_traces.quantization.affine import AffineParams
from mixarray_traces.quantization.aiqvit_options import IntervalStart
from mixarray_traces.quantization.arithmetic import Calibration, FakeArithmetic
from mixarray_traces.quantization.integer import IntegerArithmetic, check_integer, matmul_from_codes
from mixarray_traces.quantization.interval import NARROWEST, IntervalLearner, IntervalParams, first_interval
from mixarray_traces.quantization.kinds import activation_from_json, activation_to_json
from mixarray_traces.quantization.quantizers import ActivationQuantizer
from mixarray_traces.quantization.ranges import Statistics

BORDERS = st.tuples(st.floats(-0.5, 0.5), st.floats(0.01, 1.0))


def values() -> torch.Tensor:
    logits = 4 * torch.randn(3, 2, 9, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return torch.softmax(logits, dim=-1)


@given(BORDERS, st.integers(2, 8))
def test_levels_are_uniform_and_what_is_outside_goes_to_its_border(borders: tuple[float, float], bits: int) -> None:
    low, width = borders
    quantizer = IntervalParams(bits, low, low + width)
    seen = torch.linspace(low - 1, low + width + 1, 1001, dtype=torch.float64)
    found = quantizer.multiplicands(seen) * quantizer.step
    assert float(found.min()) == pytest.approx(low, abs=1e-12)
    assert float(found.max()) == pytest.approx(low + width, abs=1e-12)
    inside = (seen >= low) & (seen <= low + width)
    assert float((found - seen)[inside].abs().max()) <= quantizer.step / 2 + 1e-12
    assert torch.equal(quantizer.codes(seen), quantizer.codes(seen).round())
    assert quantizer.codes(seen).min() == -(1 << (bits - 1))
    assert quantizer.codes(seen).max() == (1 << (bits - 1)) - 1


def test_it_fulfils_the_contract_and_is_saved() -> None:
    quantizer = IntervalParams(4, 0.03, 0.6)
    assert isinstance(quantizer, ActivationQuantizer)
    assert quantizer.encoding is Encoding.INTERVAL
    (term,) = quantizer.terms(values())
    worth = term.factor * (term.codes - quantizer.offset)
    torch.testing.assert_close(worth, quantizer.multiplicands(values()), rtol=0, atol=1e-12)
    assert activation_from_json(4, activation_to_json(quantizer)) == quantizer


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.1), (0.2, 0.1), (0.0, float("nan")), (float("-inf"), 1.0)])
def test_impossible_intervals_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="interval"):
        IntervalParams(4, low, high)


def test_both_arithmetics_are_the_textbook_product_and_need_the_column_sum() -> None:
    """AV with [b1, b2] codes and asymmetric values; without v's column sum times the offset it is wrong."""
    left, value = values(), torch.randn(3, 2, 9, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    soft, other = IntervalParams(4, 0.04, 0.5), AffineParams(8, 0.02, 7)
    calibration = Calibration({("av.left", 8): soft, ("av.right", 8): other}, {})
    check_integer(calibration)
    expected = (soft.multiplicands(left) * soft.step) @ (other.multiplicands(value) * other.step)
    for arithmetic in (FakeArithmetic({}, calibration), IntegerArithmetic({}, calibration)):
        torch.testing.assert_close(arithmetic.matmul("av", left, value, 8), expected, rtol=0, atol=1e-12)
    codes = soft.codes(left), other.codes(value)
    whole = matmul_from_codes(codes[0], soft.offset, codes[1], other.offset) * soft.step * other.step
    mutant = matmul_from_codes(codes[0], float(soft.zero_point), codes[1], other.offset) * soft.step * other.step
    torch.testing.assert_close(whole, expected, rtol=0, atol=1e-12)
    missing = soft.low * (other.multiplicands(value) * other.step).sum(dim=-2, keepdim=True)
    torch.testing.assert_close(expected - mutant, missing.expand_as(expected), rtol=0, atol=1e-12)
    assert float(missing.abs().max()) > 0.01


def test_the_learner_begins_where_the_quantizer_stands() -> None:
    quantizer = IntervalParams(3, 0.02, 0.4)
    learner, seen = IntervalLearner.of(quantizer), values().float()
    torch.testing.assert_close(learner.values(seen), quantizer.multiplicands(seen) * quantizer.step)
    assert learner.freeze().low == pytest.approx(0.02)


def test_gradients_are_those_of_the_straight_through_estimator() -> None:
    """d value / d b1 is 1 below the interval, 0 above, and inside (level - place) / (levels) by the product rule."""
    low, high, bits = 0.1, 0.8, 3
    seen = torch.tensor([0.0, 0.33, 0.9], requires_grad=True)
    learner = IntervalLearner.of(IntervalParams(bits, low, high))
    for index, expected in enumerate([(1.0, 0.0, 0.0), (None, None, 1.0), (0.0, 1.0, 0.0)]):
        grads = torch.autograd.grad(learner.values(seen)[index], [learner.low, learner.high, seen])
        if expected[0] is None:
            place = (0.33 - low) / (high - low) * 7
            offset = (round(place) - place) / 7
            assert float(grads[0]) == pytest.approx(-offset, abs=1e-5)
            assert float(grads[1]) == pytest.approx(offset, abs=1e-5)
        else:
            assert (float(grads[0]), float(grads[1])) == pytest.approx(expected[:2], abs=1e-5)
        assert float(grads[2][index]) == expected[2]


def test_an_interval_never_closes() -> None:
    learner = IntervalLearner.of(IntervalParams(4, 0.2, 0.3))
    with torch.no_grad():
        learner.high.fill_(0.1)
    learner.keep_open()
    assert learner.freeze().high - learner.freeze().low >= NARROWEST


def test_where_it_begins() -> None:
    sample = torch.cat([torch.linspace(0, 0.1, 999, dtype=torch.float64), torch.ones(1, dtype=torch.float64)])
    seen = Statistics(0.0, 1.0, sample)
    whole = first_interval(seen, 3, IntervalStart.RANGE)
    least = first_interval(seen, 3, IntervalStart.LEAST_ERROR)
    assert (whole.low, whole.high) == (0.0, 1.0)
    assert least.high < 0.5

    def error(quantizer: IntervalParams) -> float:
        return float((quantizer.multiplicands(sample) * quantizer.step - sample).square().mean())

    assert error(least) < error(whole)
    flat = first_interval(Statistics(0.02, 0.02, torch.full((5,), 0.02, dtype=torch.float64)), 4, IntervalStart.RANGE)
    assert flat.high - flat.low >= NARROWEST
