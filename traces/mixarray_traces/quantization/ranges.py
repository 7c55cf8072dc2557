"""Range rules: from what calibration saw of a tensor to its step and zero point. One function per rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mixarray_traces.quantization.affine import AffineParams, WeightParams, offsets
from mixarray_traces.quantization.options import RangeRule

PERCENTILE = 0.9999
"""Share of values inside the range of the percentile rule: 0.01 % are clipped at each end."""
SHRINKS = tuple(step / 80 for step in range(80, 3, -1))
"""Candidates of the MSE rule: an end of the min-max range times 1 down to 0.05."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What calibration saw of one activation tensor: exact extremes, and an evenly spaced sample (float64, 1-D).

    `rows` (rows, channels) are whole rows of it, in the model's dtype, and `magnitude` its mean |x| in the shape of
    LSQ's steps, float64, where the method's `Sampling` asks for them. So are `products`, of a left operand: both
    operands (n, M, K) and (n, K, N) of some windows and heads, call by call.
    """

    low: float
    high: float
    sample: Tensor
    rows: Tensor | None = None
    magnitude: Tensor | None = None
    products: tuple[tuple[Tensor, Tensor], ...] = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How much calibration keeps of a tensor per call of its GEMM.

    About `values_per_call` values; and of tensors whose names end with one of `row_tensors`, about `rows_per_call`
    rows. `magnitudes`: of all of them, mean magnitudes. Of products whose names end with one of `products`, both
    operands of about `products_per_call` windows and heads.
    """

    values_per_call: int = 4096
    rows_per_call: int = 4096
    row_tensors: tuple[str, ...] = ()
    magnitudes: bool = False
    products: tuple[str, ...] = ()
    products_per_call: int = 8


def spread(entries: Tensor, count: int) -> Tensor:
    """About `count` of the entries; an odd stride walks through all channels and heads even if they are 2**n."""
    return entries[:: max(1, len(entries) // count) | 1]


def min_max(seen: Statistics, bits: int) -> AffineParams:
    """Nothing is clipped."""
    return AffineParams.from_range(seen.low, seen.high, bits)


def percentile(seen: Statistics, bits: int) -> AffineParams:
    """The extreme 1 - PERCENTILE at each end is clipped."""
    ordered = seen.sample.sort().values
    cut = int((1 - PERCENTILE) * (len(ordered) - 1))
    return AffineParams.from_range(float(ordered[cut]), float(ordered[len(ordered) - 1 - cut]), bits)


def mse(seen: Statistics, bits: int) -> AffineParams:
    """The shrunk min-max range with the least mean squared error on the sample; ties go to the wider range.

    Both ends are shrunk together first, then the upper and the lower one alone.
    """
    _, low, high = min(_tried(seen, bits, [(shrink, shrink) for shrink in SHRINKS]), key=_error)
    _, low, high = min(_tried(seen, bits, [(low, high * shrink) for shrink in SHRINKS]), key=_error)
    _, low, high = min(_tried(seen, bits, [(low * shrink, high) for shrink in SHRINKS]), key=_error)
    return AffineParams.from_range(seen.low * low, seen.high * high, bits)


def _tried(seen: Statistics, bits: int, shrinks: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float, float]]:
    """(error, low, high) of every pair of shrinks, in order."""
    for low, high in shrinks:
        params = AffineParams.from_range(seen.low * low, seen.high * high, bits)
        error = offsets(seen.sample, params).mul_(params.step).sub_(seen.sample).square_().mean()
        yield float(error), low, high


def _error(tried: tuple[float, float, float]) -> float:
    return tried[0]


RANGE_RULES: dict[RangeRule, Callable[[Statistics, int], AffineParams]] = {
    RangeRule.MIN_MAX: min_max,
    RangeRule.PERCENTILE: percentile,
    RangeRule.MSE: mse,
}


def weight_params(weight: Tensor, bits: int, rule: RangeRule) -> WeightParams:
    """Symmetric steps per output channel of `weight` (outputs, inputs); a channel of zeros gets step 1."""
    weight = weight.detach().double()
    largest_code = (1 << (bits - 1)) - 1
    magnitude = weight.abs()
    clips = rule is RangeRule.PERCENTILE
    top = torch.quantile(magnitude, PERCENTILE, dim=1) if clips else magnitude.amax(dim=1)
    if rule is RangeRule.MSE:
        top = _least_error(weight, top, largest_code)
    steps = top / largest_code
    return WeightParams(bits, torch.where(steps > 0, steps, torch.ones_like(steps)))


def _least_error(weight: Tensor, top: Tensor, largest_code: int) -> Tensor:
    best, best_error = top, torch.full_like(top, float("inf"))
    for shrink in SHRINKS:
        steps = (top * shrink / largest_code).clamp_min(1e-30).unsqueeze(1)
        error = ((weight / steps).round().clamp(-largest_code, largest_code) * steps - weight).square().sum(dim=1)
        better = error < best_error
        best = torch.where(better, top * shrink, best)
        best_error = torch.where(better, error, best_error)
    return best
