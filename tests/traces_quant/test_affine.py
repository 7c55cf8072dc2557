"""Codes, steps and zero points."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixarray_traces.quantization.affine import (
    AffineParams,
    WeightParams,
    dequantize,
    offsets,
    quantize,
    quantize_weight,
)


def test_rounding_is_half_to_even() -> None:
    params = AffineParams(bits=8, step=1.0, zero_point=0)
    assert quantize(torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5]), params).tolist() == [0, 2, 2, 0, -2]


def test_codes_are_signed_after_folding_the_offset() -> None:
    params = AffineParams.from_range(0.0, 1.0, 4)
    assert params.zero_point == -8
    assert quantize(torch.tensor([0.0, 1.0, 9.0]), params).tolist() == [-8, 7, 7]


@given(st.floats(-50, 50), st.floats(-50, 50), st.integers(2, 8))
def test_zero_is_exact_and_the_range_is_covered(one: float, other: float, bits: int) -> None:
    low, high = min(one, other), max(one, other)
    params = AffineParams.from_range(low, high, bits)
    values = torch.tensor([0.0, low, high], dtype=torch.float64)
    error = (dequantize(quantize(values, params), params) - values).abs()
    assert error[0] == 0
    # The zero point is rounded, so an end may be clipped by half a step beside the rounding of its own code.
    assert error.max() <= params.step * (1 + 1e-9) or error.max() < 1e-28


def test_offsets_are_codes_without_the_zero_point() -> None:
    params = AffineParams(bits=4, step=0.25, zero_point=-3)
    values = torch.linspace(-3, 3, 50, dtype=torch.float64)
    assert torch.equal(offsets(values, params), quantize(values, params) + 3)


@pytest.mark.parametrize(("step", "zero"), [(0.0, 0), (float("nan"), 0), (1.0, 8), (-1.0, 0)])
def test_impossible_quantizers_are_refused(step: float, zero: int) -> None:
    with pytest.raises(ValueError, match=r"step|zero point"):
        AffineParams(bits=4, step=step, zero_point=zero)


def test_weights_are_symmetric_per_output_channel() -> None:
    weight = torch.tensor([[7.0, -7.0, 1.0], [0.7, 0.04, -0.36]])
    params = WeightParams(4, torch.tensor([1.0, 0.1], dtype=torch.float64))
    assert quantize_weight(weight, params).tolist() == [[7, -7, 1], [7, 0, -4]]
