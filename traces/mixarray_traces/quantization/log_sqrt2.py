"""Log-sqrt2 quantization of softmax outputs (RepQ-ViT, ICCV 2023; methods reference 3a, 3b).

Exponent c = round(-2 log2(value / step)), value = step * 2**(-c/2) = step * 2**(-ceil(c/2)) * (sqrt2 if c is odd). A
product with such a value is a shift by ceil(c/2): sums of even and of odd exponents are kept apart and joined once per
result with one multiplication by sqrt2.

Known: the published code gives all 2**bits exponents a value and has 0 beside them, 2**bits + 1 symbols. Ours: by
default the last code stands for 0, so that a value fits its bits; `extra_zero` is the published set, whose zeros a
trace carries as a flag per element. Ours too: shifts beyond `largest_shift` leave the accumulator, the value is 0. With
8-bit values, 49 positions and shifts to 15 a sum needs 8 + 15 + 6 = 29 bits, below the 32 of an accumulator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mixarray.trace.model import Encoding
from mixarray_traces.quantization.quantizers import Term

LARGEST_SHIFT = 15
"""Default cap of shifts: what is below 2**-15.25 of the step is 0 (methods reference 3b)."""


@dataclass(frozen=True, slots=True)
class LogSqrt2Params:
    """The quantizer of one softmax output: `step` is the value of exponent 0.

    Parameters
    ----------
    bits: width of a code.
    step: value of exponent 0; finite, above 0.
    largest_shift: values that would be shifted further are 0.
    extra_zero: 0 is a symbol beside the 2**bits codes, as published; else the last code is 0.
    """

    bits: int
    step: float
    largest_shift: int = LARGEST_SHIFT
    extra_zero: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.step) and self.step > 0):
            raise ValueError(f"step {self.step} must be finite and above 0")
        if not 1 <= self.largest_shift <= 31:
            raise ValueError(f"largest shift {self.largest_shift}; allowed: 1 to 31")

    @property
    def encoding(self) -> Encoding:
        """LOG_SQRT2."""
        return Encoding.LOG_SQRT2

    @property
    def zero_point(self) -> int:
        """The code of exponent 0: codes are signed, -2**(bits - 1)."""
        return -(1 << (self.bits - 1))

    @property
    def offset(self) -> float:
        """0: shifted values need no correction."""
        return 0.0

    @property
    def last_exponent(self) -> int:
        """The largest exponent that is not 0: below the zero's code, and within the shifts."""
        top = (1 << self.bits) - (1 if self.extra_zero else 2)
        return min(top, 2 * self.largest_shift)

    @property
    def zero_code(self) -> int:
        """The signed code of 0: the last one, or the symbol behind it where every code has a value."""
        full = self.last_exponent == (1 << self.bits) - 1
        return (1 << self.bits) - (0 if full else 1) + self.zero_point

    @property
    def flags_zero(self) -> bool:
        """Whether 0 lies outside the codes and needs a flag beside them."""
        return self.zero_code >= 1 << (self.bits - 1)

    def codes(self, values: Tensor) -> Tensor:
        """Signed codes; `zero_code` where the value is 0, too small, or no number of this quantizer (below 0)."""
        exponents = torch.log2(values.clamp_min(0) * (1.0 / self.step)).mul_(-2).round_().clamp_min_(0)
        codes = exponents + self.zero_point
        return torch.where(exponents > self.last_exponent, float(self.zero_code), codes)

    def multiplicands(self, values: Tensor) -> Tensor:
        """0 or 2**(-c/2)."""
        exponents = self.codes(values) - self.zero_point
        return torch.where(exponents > self.last_exponent, 0.0, torch.exp2(exponents * -0.5))

    def terms(self, values: Tensor) -> tuple[Term, Term]:
        """Even and odd exponents: integers 2**(largest_shift - shift), worth 2**-largest_shift and sqrt2 times that."""
        exponents = (self.codes(values) - self.zero_point).double()
        shifted = torch.exp2(self.largest_shift - torch.ceil(exponents / 2))
        alive, odd = exponents <= self.last_exponent, exponents % 2 == 1
        unit = 2.0**-self.largest_shift
        return (
            Term(unit, torch.where(alive & ~odd, shifted, 0.0)),
            Term(unit * math.sqrt(2), torch.where(alive & odd, shifted, 0.0)),
        )
