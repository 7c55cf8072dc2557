"""RepQ-ViT's scale search: of three percentiles, the one with the least squared error (methods reference 3a).

Known: percentiles 0.999, 0.9999 and 0.99999; range [quantile(1 - p), quantile(p)]; step = range / (2**bits - 1); the
least mean squared error wins, the first of equals. Ours: a range is widened to contain 0, so that zero points are codes
and value 0 is exact; a channel whose values are all 0 gets step 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from mixarray_traces.quantization.affine import SMALLEST_STEP, AffineParams
from mixarray_traces.quantization.asymmetric import AsymmetricWeightParams
from mixarray_traces.quantization.log_sqrt2 import LogSqrt2Params
from mixarray_traces.quantization.quantizers import ActivationQuantizer

PERCENTILES = (0.999, 0.9999, 0.99999)

Quantizer = TypeVar("Quantizer", bound=ActivationQuantizer)


@dataclass(frozen=True, slots=True)
class ChannelSteps:
    """An affine quantizer per channel: steps float64 (C,), signed zero points int64 (C,), and which channels are flat.

    A flat channel's values are all 0: its step 1 means nothing.
    """

    bits: int
    steps: Tensor
    zero_points: Tensor
    flat: Tensor


def search_channels(rows: Tensor, bits: int) -> ChannelSteps:
    """The quantizer of every column of `rows` (n, C)."""
    rows = rows.double()
    ordered = rows.sort(dim=0).values
    best = torch.full((rows.shape[1],), torch.inf, dtype=torch.float64)
    steps, zeros, flat = torch.ones_like(best), torch.zeros_like(best), torch.zeros_like(best, dtype=torch.bool)
    for share in PERCENTILES:
        step, zero, empty = _from_range(quantile(ordered, 1 - share), quantile(ordered, share), bits)
        error = _affine_error(rows, step, zero, bits)
        better = error < best
        best = torch.where(better, error, best)
        steps, zeros, flat = (
            torch.where(better, new, old) for new, old in ((step, steps), (zero, zeros), (empty, flat))
        )
    return ChannelSteps(bits, steps, zeros.long(), flat)


def search_tensor(values: Tensor, bits: int) -> AffineParams:
    """The quantizer of a whole activation tensor, from a sample (n,) of its values."""
    found = search_channels(values.unsqueeze(1), bits)
    return AffineParams(bits, float(found.steps[0]), int(found.zero_points[0]))


def search_weight(matrix: Tensor, bits: int) -> AsymmetricWeightParams:
    """The quantizer of a weight matrix (outputs, inputs), per output."""
    found = search_channels(matrix.T, bits)
    return AsymmetricWeightParams(bits, found.steps, found.zero_points)


def search_log_sqrt2(values: Tensor, bits: int, largest_shift: int, extra_zero: bool) -> LogSqrt2Params:
    """The quantizer of a softmax output, from a sample (n,): the step is a percentile of the values."""
    ordered = values.double().sort().values
    steps = (float(quantile(ordered, share)) for share in PERCENTILES)
    candidates = [
        LogSqrt2Params(bits, step if step > SMALLEST_STEP else 1.0, largest_shift, extra_zero) for step in steps
    ]
    return least_error(values, candidates)


def least_error(values: Tensor, candidates: Iterable[Quantizer]) -> Quantizer:
    """The candidate with the least squared error on `values`, the first of equals."""
    return min(candidates, key=lambda one: squared_error(values, one))


def squared_error(values: Tensor, quantizer: ActivationQuantizer) -> float:
    """Mean squared error of quantizing `values`."""
    values = values.double()
    return float((quantizer.multiplicands(values) * quantizer.step - values).square().mean())


def quantile(ordered: Tensor, share: float) -> Tensor:
    """The quantile along dimension 0 of sorted values, linear between neighbours (as torch.quantile, any size)."""
    place = share * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    return torch.lerp(ordered[below], ordered[above], place - below)


def _from_range(low: Tensor, high: Tensor, bits: int) -> tuple[Tensor, Tensor, Tensor]:
    """Steps, signed zero points and flat channels of ranges widened to contain 0."""
    low, high = low.clamp_max(0), high.clamp_min(0)
    steps = (high - low) / ((1 << bits) - 1)
    flat = steps < SMALLEST_STEP
    steps = torch.where(flat, 1.0, steps)
    zeros = (-low / steps).round().clamp(0, (1 << bits) - 1) - (1 << (bits - 1))
    return steps, torch.where(flat, 0.0, zeros), flat


def _affine_error(rows: Tensor, steps: Tensor, zeros: Tensor, bits: int) -> Tensor:
    half = 1 << (bits - 1)
    counts = torch.clamp((rows * (1 / steps)).round_(), -half - zeros, half - 1 - zeros)
    return counts.mul_(steps).sub_(rows).square_().mean(dim=0)
