"""A learned interval for softmax outputs: DFQ, inspired by AIQViT (AAAI 2025, arXiv 2502.04628; methods reference 6a).

Known: values are clipped to a learned [b1, b2] and quantized uniformly inside; no logarithm. A guess (tagged [INF]
there): step = (b2 - b1) / (2**bits - 1), level = round((clip(x) - b1) / step), value = step * level + b1, and both
borders are trained by the straight-through estimator. Ours: where they begin (`first_interval`).

value = step * (code - offset) with a real offset: signed codes are level - 2**(bits - 1), so that
offset = -2**(bits - 1) - b1 / step. A product with such an operand takes integer sums of codes and one run-time column
sum of the other operand, times the offset, where the accumulators are read. A plain unsigned quantizer (b1 = 0) of
signed codes needs the same sum: its offset is -2**(bits - 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mixarray.trace.model import Encoding
from mixarray_traces.quantization.aiqvit_options import IntervalStart
from mixarray_traces.quantization.percentile_search import least_error
from mixarray_traces.quantization.quantizers import Term
from mixarray_traces.quantization.ranges import Statistics

NARROWEST = 1e-4
"""Least width of an interval: softmax outputs lie in [0, 1]."""
_SHRINKS = tuple(step / 40 for step in range(40, 0, -1))
"""Candidates of a first upper border: the largest value seen times 1 down to 1/40."""


@dataclass(frozen=True, slots=True)
class IntervalParams:
    """The quantizer of one softmax output: `bits`-bit levels from `low` (b1) to `high` (b2), both finite."""

    bits: int
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.high - self.low >= NARROWEST):
            raise ValueError(f"interval [{self.low}, {self.high}] must be finite and at least {NARROWEST} wide")

    @property
    def encoding(self) -> Encoding:
        """INTERVAL."""
        return Encoding.INTERVAL

    @property
    def step(self) -> float:
        """(b2 - b1) / (2**bits - 1)."""
        return (self.high - self.low) / ((1 << self.bits) - 1)

    @property
    def zero_point(self) -> int:
        """The code of b1: codes are signed, -2**(bits - 1)."""
        return -(1 << (self.bits - 1))

    @property
    def offset(self) -> float:
        """The code that value 0 would have, a real number."""
        return self.zero_point - self.low / self.step

    def levels(self, values: Tensor) -> Tensor:
        """0 to 2**bits - 1, in the dtype of `values`; what lies outside the interval goes to its border."""
        return values.clamp(self.low, self.high).sub_(self.low).mul_(1.0 / self.step).round_()

    def codes(self, values: Tensor) -> Tensor:
        """Signed codes."""
        return self.levels(values).add_(self.zero_point)

    def multiplicands(self, values: Tensor) -> Tensor:
        """level + b1 / step: no integers."""
        return self.levels(values).add_(self.low / self.step)

    def terms(self, values: Tensor) -> tuple[Term]:
        """The codes themselves."""
        return (Term(1.0, self.codes(values).double()),)


def first_interval(seen: Statistics, bits: int, start: IntervalStart) -> IntervalParams:
    """Where training begins: the range that calibration saw, or the part of it with the least squared error."""
    high = max(seen.high, seen.low + NARROWEST)
    shrinks = _SHRINKS if start is IntervalStart.LEAST_ERROR else (1.0,)
    widths = (max((high - seen.low) * shrink, 2 * NARROWEST) for shrink in shrinks)
    return least_error(seen.sample, [IntervalParams(bits, seen.low, seen.low + width) for width in widths])


@dataclass(frozen=True, slots=True)
class IntervalLearner:
    """The trainable form: both borders as float32 leaves with gradients."""

    bits: int
    low: Tensor
    high: Tensor

    @classmethod
    def of(cls, quantizer: IntervalParams) -> IntervalLearner:
        """Borders that begin where a frozen quantizer stands."""
        low, high = (torch.tensor(border, requires_grad=True) for border in (quantizer.low, quantizer.high))
        return cls(quantizer.bits, low, high)

    def freeze(self) -> IntervalParams:
        """The quantizer as it stands now."""
        return IntervalParams(self.bits, float(self.low.detach()), float(self.high.detach()))

    def values(self, values: Tensor) -> Tensor:
        """Quantized values; rounding passes gradients straight through, clipping to the border that it clips to."""
        step = (self.high - self.low) / ((1 << self.bits) - 1)
        places = (values.maximum(self.low).minimum(self.high) - self.low) / step
        return (places + (places.round() - places).detach()) * step + self.low

    @torch.no_grad()
    def keep_open(self) -> None:
        """After an optimizer step: an interval never closes."""
        self.high.copy_(torch.maximum(self.high, self.low + 2 * NARROWEST))
