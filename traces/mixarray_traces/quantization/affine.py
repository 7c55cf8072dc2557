"""Uniform affine quantization: the arithmetic of codes, steps and zero points (Jacob et al., CVPR 2018, eq. 1).

value = step * (code - zero_point). Codes are signed integers of `bits` bits: an unsigned quantizer's code is stored
after subtracting 2**(bits - 1), from the code and from the zero point alike, which changes no value. Rounding is
half to even, here and nowhere else: `torch.round`, on value * (1 / step).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mixarray.trace.model import Encoding
from mixarray_traces.quantization.quantizers import Term

SMALLEST_STEP = 1e-30
"""Below this, a range has no width: its reciprocal would not fit float32."""


@dataclass(frozen=True, slots=True)
class AffineParams:
    """The quantizer of one activation tensor: one step and one integer zero point for all of it.

    Parameters
    ----------
    bits: width of a code.
    step: value of one code step; finite, above 0.
    zero_point: the code of value 0, within the range of codes, so that 0 is exact (padding relies on it).
    """

    bits: int
    step: float
    zero_point: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.step) and self.step > 0):
            raise ValueError(f"step {self.step} must be finite and above 0")
        if not self.lowest_code <= self.zero_point <= self.highest_code:
            raise ValueError(f"zero point {self.zero_point} is no {self.bits}-bit code")

    @property
    def lowest_code(self) -> int:
        """-2**(bits - 1)."""
        return -(1 << (self.bits - 1))

    @property
    def highest_code(self) -> int:
        """2**(bits - 1) - 1."""
        return (1 << (self.bits - 1)) - 1

    @property
    def encoding(self) -> Encoding:
        """INT."""
        return Encoding.INT

    @property
    def offset(self) -> float:
        """The zero point."""
        return float(self.zero_point)

    def codes(self, values: Tensor) -> Tensor:
        """See `quantize`."""
        return quantize(values, self)

    def multiplicands(self, values: Tensor) -> Tensor:
        """See `offsets`."""
        return offsets(values, self)

    def terms(self, values: Tensor) -> tuple[Term]:
        """The codes themselves."""
        return (Term(1.0, quantize(values, self).double()),)

    @classmethod
    def from_range(cls, low: float, high: float, bits: int) -> AffineParams:
        """The quantizer whose codes span [low, high], widened to contain 0; a range of no width gets step 1."""
        low, high = min(low, 0.0), max(high, 0.0)
        step = (high - low) / ((1 << bits) - 1)
        if step < SMALLEST_STEP:
            return cls(bits, 1.0, 0)
        lowest = -(1 << (bits - 1))
        zero_point = lowest + min(max(round(-low / step), 0), (1 << bits) - 1)
        return cls(bits, step, zero_point)


@dataclass(frozen=True)
class WeightParams:
    """The quantizer of one weight matrix: symmetric, one step per output channel.

    Codes lie in +-(2**(bits - 1) - 1). `steps` has shape (outputs,) and dtype float64.
    """

    bits: int
    steps: Tensor

    @cached_property
    def highest_code(self) -> int:
        """2**(bits - 1) - 1."""
        return (1 << (self.bits - 1)) - 1

    @property
    def encoding(self) -> Encoding:
        """INT."""
        return Encoding.INT

    @property
    def zero_points(self) -> None:
        """None: symmetric."""
        return None

    @property
    def offsets(self) -> None:
        """None: symmetric, nothing to correct."""
        return None

    def codes(self, matrix: Tensor) -> Tensor:
        """See `quantize_weight`."""
        return quantize_weight(matrix, self)

    def multiplicands(self, matrix: Tensor) -> Tensor:
        """The codes: the zero point is 0."""
        return quantize_weight(matrix, self)


def offsets(values: Tensor, params: AffineParams) -> Tensor:
    """`code - zero_point` of every value, as integers in the dtype of `values`: the value in units of the step."""
    zero = params.zero_point
    counts = torch.mul(values, 1.0 / params.step).round_()
    return counts.clamp_(params.lowest_code - zero, params.highest_code - zero)


def quantize(values: Tensor, params: AffineParams) -> Tensor:
    """The codes of `values`, as integers in their dtype."""
    return offsets(values, params).add_(params.zero_point)


def dequantize(codes: Tensor, params: AffineParams) -> Tensor:
    """The values that `codes` stand for."""
    return (codes - params.zero_point) * params.step


def quantize_weight(weight: Tensor, params: WeightParams) -> Tensor:
    """The codes of a weight matrix (outputs, inputs), as integers in its dtype."""
    steps = params.steps.to(weight.dtype).unsqueeze(1)
    return (weight / steps).round_().clamp_(-params.highest_code, params.highest_code)
