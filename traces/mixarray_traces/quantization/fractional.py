"""RepQ-ViT's reparameterised activations as published: their zero point is a mean and stays a fraction.

The published code rounds value / step first, adds the fractional zero point and clips to 0 .. 2**bits - 1 (methods
reference 3a). Inside the range values are whole multiples of the step, at its ends they are not: no integer code
exists. Such a quantizer shows what rounding costs; it runs by fake quantization alone and cannot be recorded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mixarray.trace.model import Encoding
from mixarray_traces.quantization.quantizers import Term


@dataclass(frozen=True, slots=True)
class FractionalParams:
    """An affine quantizer whose `offset`, the signed code of value 0, is no integer."""

    bits: int
    step: float
    offset: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.step) and self.step > 0):
            raise ValueError(f"step {self.step} must be finite and above 0")
        half = 1 << (self.bits - 1)
        if not -half <= self.offset <= half - 1:
            raise ValueError(f"zero point {self.offset} is outside {self.bits} bits")

    @property
    def encoding(self) -> Encoding:
        """INT."""
        return Encoding.INT

    @property
    def zero_point(self) -> int:
        """The nearest integer; `offset` is the zero point in use."""
        return round(self.offset)

    def multiplicands(self, values: Tensor) -> Tensor:
        """round(value / step), clipped to the range that the fractional zero point leaves."""
        half = 1 << (self.bits - 1)
        return torch.mul(values, 1.0 / self.step).round_().clamp_(-half - self.offset, half - 1 - self.offset)

    def codes(self, values: Tensor) -> Tensor:
        """The published codes: not integers, unless the zero point is one."""
        return self.multiplicands(values) + self.offset

    def terms(self, values: Tensor) -> tuple[Term]:
        """The published codes, not integers: refused by the integer mode (`integer.IntegerArithmetic`)."""
        return (Term(1.0, self.codes(values).double()),)
