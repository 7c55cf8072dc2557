"""Range rules."""

from __future__ import annotations

import pytest
import torch

from mixarray_traces.quantization.affine import offsets, quantize_weight
from mixarray_traces.quantization.options import RangeRule
from mixarray_traces.quantization.ranges import RANGE_RULES, Statistics, weight_params


def seen() -> Statistics:
    generator = torch.Generator().manual_seed(0)
    sample = torch.randn(30_000, generator=generator, dtype=torch.float64)
    sample[0] = 40.0
    return Statistics(float(sample.min()), float(sample.max()), sample)


def error(rule: RangeRule, bits: int) -> float:
    statistics = seen()
    params = RANGE_RULES[rule](statistics, bits)
    return float((offsets(statistics.sample, params) * params.step - statistics.sample).square().mean())


@pytest.mark.parametrize("bits", [4, 8])
def test_mse_has_the_least_error_of_all_rules_on_heavy_tails(bits: int) -> None:
    errors = {rule: error(rule, bits) for rule in RangeRule}
    assert errors[RangeRule.MSE] <= errors[RangeRule.MIN_MAX]
    if bits == 4:
        assert errors[RangeRule.MSE] < 0.2 * errors[RangeRule.MIN_MAX]


def test_min_max_clips_nothing_and_percentile_does() -> None:
    statistics = seen()
    assert RANGE_RULES[RangeRule.MIN_MAX](statistics, 8).step == pytest.approx((40 - statistics.low) / 255)
    assert RANGE_RULES[RangeRule.PERCENTILE](statistics, 8).step < 10 / 255


@pytest.mark.parametrize("rule", list(RangeRule))
def test_weight_steps_are_per_channel(rule: RangeRule) -> None:
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(6, 40, generator=generator) * torch.tensor([[1.0], [10.0], [0.1], [1], [1], [0.0]])
    params = weight_params(weight, 4, rule)
    assert params.steps.shape == (6,)
    assert params.steps[1] > 3 * params.steps[0] > 9 * params.steps[2] * 3 / 3
    assert bool((quantize_weight(weight, params).abs() <= 7).all())


def test_mse_weights_err_less_than_min_max() -> None:
    generator = torch.Generator().manual_seed(2)
    weight = torch.randn(8, 200, generator=generator, dtype=torch.float64)

    def squared(rule: RangeRule) -> torch.Tensor:
        params = weight_params(weight, 4, rule)
        return (quantize_weight(weight, params) * params.steps.unsqueeze(1) - weight).square().sum(1)

    assert bool((squared(RangeRule.MSE) <= squared(RangeRule.MIN_MAX) + 1e-12).all())
