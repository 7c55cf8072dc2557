"""StatsQ: half-integer levels, the straight-through gradient, trainable and frozen forms."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mixarray.trace.model import Encoding
from mixarray_traces.quantization.kinds import weight_from_json, weight_to_json
from mixarray_traces.quantization.statsq import (
    StatsqParams,
    near_threshold,
    position,
    statsq_params,
    steps_of,
    trainable_multiplicands,
)


def random_matrix(seed: int, outputs: int = 5, inputs: int = 40) -> Tensor:
    return torch.randn(outputs, inputs, generator=torch.Generator().manual_seed(seed))


def published(matrix: Tensor, bits: int) -> Tensor:
    """The formula as published: s = 2 mean|w|, w^ = s (round(clip(w / s) n - 1/2) + 1/2) / n."""
    s = 2 * matrix.abs().mean(dim=1, keepdim=True)
    n = 2 ** (bits - 1)
    return s * (torch.round((matrix / s).clamp(-1, 1 - 1e-6) * n - 0.5) + 0.5) / n


def test_levels_by_hand() -> None:
    """Mean 1, so s = 2 and, at 2 bits, n = 2 and steps of 1: levels -1.5, -0.5, 0.5, 1.5."""
    matrix = torch.tensor([[-2.5, -0.9, 0.1, 0.5, 1.2, 0.8]])
    quantizer = statsq_params(matrix, 2)
    assert quantizer.steps.tolist() == [1.0]
    assert (quantizer.multiplicands(matrix) * quantizer.steps).tolist() == [[-1.5, -0.5, 0.5, 0.5, 1.5, 0.5]]
    assert quantizer.codes(matrix).tolist() == [[-2, -1, 0, 0, 1, 0]]
    assert quantizer.encoding is Encoding.HALF_INT
    assert quantizer.offsets.tolist() == [-0.5]
    assert quantizer.zero_points is None


@given(st.integers(0, 10_000), st.integers(2, 8))
def test_it_is_the_published_formula(seed: int, bits: int) -> None:
    matrix = random_matrix(seed).double()
    quantizer = statsq_params(matrix, bits)
    values = quantizer.multiplicands(matrix) * quantizer.steps.unsqueeze(1)
    torch.testing.assert_close(values, published(matrix, bits), rtol=1e-12, atol=0)
    codes = quantizer.codes(matrix)
    assert int(codes.min()) >= -(1 << (bits - 1))
    assert int(codes.max()) <= (1 << (bits - 1)) - 1
    whole_levels = (matrix / quantizer.steps.unsqueeze(1)).round() * quantizer.steps.unsqueeze(1)
    assert not torch.allclose(values, whole_levels)  # the fault: levels at whole steps


@given(st.integers(0, 10_000), st.sampled_from([2, 4, 8]))
def test_trainable_and_frozen_give_the_same_bits(seed: int, bits: int) -> None:
    matrix = random_matrix(seed)
    frozen = weight_from_json(weight_to_json(statsq_params(matrix, bits)))
    multiplicands, steps = trainable_multiplicands(matrix.clone().requires_grad_(), bits)
    assert torch.equal(multiplicands, frozen.multiplicands(matrix))
    assert torch.equal(steps, frozen.steps.float())
    assert isinstance(frozen, StatsqParams)


def test_the_gradient_passes_straight_through_also_where_clipped() -> None:
    matrix = random_matrix(1).requires_grad_()
    multiplicands, steps = trainable_multiplicands(matrix, 4)
    upstream = random_matrix(2)
    ((multiplicands * steps.unsqueeze(1)) * upstream).sum().backward()
    assert matrix.grad is not None
    torch.testing.assert_close(matrix.grad, upstream)
    assert not steps.requires_grad
    assert bool((matrix.detach().abs() > steps.unsqueeze(1) * 8).any())  # some are clipped


def test_a_row_of_zeros_stays_next_to_zero() -> None:
    matrix = torch.zeros(1, 4)
    quantizer = statsq_params(matrix, 4)
    assert float((quantizer.multiplicands(matrix) * quantizer.steps).abs().max()) < 1e-29
    with pytest.raises(ValueError, match="above 0"):
        StatsqParams(4, torch.zeros(1, dtype=torch.float64))


@given(st.integers(0, 10_000), st.sampled_from([0.005, 0.1, 0.5]))
def test_near_threshold_is_near_a_change_of_code(seed: int, boundary: float) -> None:
    """A weight is near if moving it by `boundary` steps (a hair more) changes its code; clipped ones have no other."""
    matrix, bits = random_matrix(seed).double(), 3
    place = position(matrix, steps_of(matrix, bits), bits)
    lowest, highest = ((place + move * boundary * 1.0001).round().clamp(-4, 3) for move in (-1, 1))
    assert torch.equal(near_threshold(matrix, bits, boundary), lowest != highest)
    literal = (place - place.floor() - 0.5).abs() <= boundary
    assert int(literal.sum()) > int((lowest != highest).sum())  # the fault: clipped weights would move
