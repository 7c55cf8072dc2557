"""RepQ-ViT's percentile search, against brute force in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mixarray_traces.quantization.percentile_search import (
    PERCENTILES,
    quantile,
    search_channels,
    search_log_sqrt2,
    search_tensor,
    search_weight,
    squared_error,
)


def heavy_tails(rows: int, channels: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    values = rng.standard_normal((rows, channels)) * np.logspace(-1, 1, channels)
    values[:: rows // 5] *= 12
    return values


def brute_force(values: np.ndarray, bits: int) -> tuple[float, float, int, float]:
    """(least error, step, unsigned zero point, percentile) of the three percentiles, one channel."""
    found = []
    for share in PERCENTILES:
        low, high = min(np.quantile(values, 1 - share), 0), max(np.quantile(values, share), 0)
        step = (high - low) / (2**bits - 1)
        zero = int(np.clip(np.round(-low / step), 0, 2**bits - 1))
        codes = np.clip(np.round(values / step) + zero, 0, 2**bits - 1)
        found.append((float((((codes - zero) * step - values) ** 2).mean()), step, zero, share))
    return min(found, key=lambda entry: entry[0])


def test_every_channel_takes_the_best_of_three() -> None:
    values = heavy_tails(4000, 12)
    winners = set()
    for bits in (4, 6, 8):
        found = search_channels(torch.from_numpy(values), bits)
        for channel in range(12):
            error, step, zero, share = brute_force(values[:, channel], bits)
            assert float(found.steps[channel]) == pytest.approx(step, rel=1e-9)
            assert int(found.zero_points[channel]) == zero - 2 ** (bits - 1)
            alone = search_tensor(torch.from_numpy(values[:, channel]), bits)
            assert squared_error(torch.from_numpy(values[:, channel]), alone) == pytest.approx(error, rel=1e-9)
            winners.add(share)
    assert len(winners) > 1, "no channel differs from the others: the search is not tested"


def test_quantiles_are_numpys() -> None:
    values = heavy_tails(999, 3)
    for share in (0.0, 0.3, 1 - PERCENTILES[0], *PERCENTILES, 1.0):
        found = quantile(torch.from_numpy(np.sort(values, axis=0)), share)
        np.testing.assert_allclose(found.numpy(), np.quantile(values, share, axis=0), rtol=1e-9)


def test_zero_is_exact_and_flat_channels_are_told() -> None:
    rows = torch.stack([torch.linspace(2, 5, 50), torch.zeros(50), torch.linspace(-5, -2, 50)], dim=1)
    found = search_channels(rows, 4)
    assert found.zero_points.tolist() == [-8, 0, 7]
    assert found.flat.tolist() == [False, True, False]


def test_weights_err_less_with_a_zero_point_than_without() -> None:
    matrix = torch.randn(6, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64).abs() - 0.2
    found = search_weight(matrix, 4)
    assert found.zero_points.shape == found.steps.shape == (6,)
    assert bool((found.codes(matrix) <= 7).all() and (found.codes(matrix) >= -8).all())
    error = (found.multiplicands(matrix) * found.steps.unsqueeze(1) - matrix).square().mean()
    symmetric = (matrix / matrix.abs().amax(1, keepdim=True) * 7).round() * matrix.abs().amax(1, keepdim=True) / 7
    assert error < (symmetric - matrix).square().mean()


def test_the_log_step_is_the_best_of_three() -> None:
    values = torch.softmax(3 * torch.randn(400, 49, generator=torch.Generator().manual_seed(2)).double(), -1).flatten()
    found = search_log_sqrt2(values, 4, 15, extra_zero=False)
    steps = [float(np.quantile(values.numpy(), share)) for share in PERCENTILES]
    errors = []
    for step in steps:
        with np.errstate(divide="ignore"):
            exponents = np.maximum(np.round(-2 * np.log2(values.numpy() / step)), 0)
        errors.append(float(((np.where(exponents > 14, 0, step * 2 ** (-exponents / 2)) - values.numpy()) ** 2).mean()))
    assert found.step == pytest.approx(steps[int(np.argmin(errors))], rel=1e-12)
