"""Two-region quantization of values behind a GELU or a softmax (OPT-m of MPTQ-ViT, arXiv 2401.14895).

Known (methods reference 5a): post-GELU values get a scaling factor per region, and the ratio of the factors is searched
from data. A guess, hence "inspired by" MPTQ-ViT: the regions are those of PTQ4ViT's twin quantization, one bit of a
code is a flag that selects the region, and the ratio is 2**m, so that hardware shifts instead of multiplying.

A code of b bits is a flag above a magnitude of b - 1 bits, read as a signed integer: magnitude, or, where the flag is
set, magnitude - 2**(b - 1). Without the flag the value is -step * magnitude behind a GELU (`negative`), step *
magnitude behind a softmax; with it, step * (magnitude << m). A value gets the nearest of all levels, without the flag
where both regions are as near, so 0 has one code: 0. Multiplicands are integers: there is nothing to correct.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mixarray.trace.model import Encoding
from mixarray_traces.quantization.quantizers import Term


@dataclass(frozen=True, slots=True)
class TwoRegionParams:
    """The quantizer of one activation tensor: one step, and a second region of 2**shift times that step.

    Parameters
    ----------
    bits: width of a code: a flag and `bits` - 1 bits of magnitude.
    step: value of magnitude 1 without the flag; finite, above 0.
    shift: m, by how many places a magnitude with the flag is shifted: 0 to `bits`.
    negative: whether magnitudes without the flag stand for values below 0.
    """

    bits: int
    step: float
    shift: int
    negative: bool

    def __post_init__(self) -> None:
        if not (math.isfinite(self.step) and self.step > 0):
            raise ValueError(f"step {self.step} must be finite and above 0")
        if not 0 <= self.shift <= self.bits:
            raise ValueError(f"shift {self.shift}; allowed: 0 to {self.bits}")

    @property
    def largest_magnitude(self) -> int:
        """2**(bits - 1) - 1."""
        return (1 << (self.bits - 1)) - 1

    @property
    def encoding(self) -> Encoding:
        """TWO_REGION."""
        return Encoding.TWO_REGION

    @property
    def zero_point(self) -> int:
        """0: the code of value 0."""
        return 0

    @property
    def offset(self) -> float:
        """0: nothing to correct."""
        return 0.0

    def codes(self, values: Tensor) -> Tensor:
        """Signed codes: the magnitude, less 2**(bits - 1) where the flag is set."""
        fine, coarse, flagged = self._nearest(values)
        return torch.where(flagged, coarse - (1 << (self.bits - 1)), fine.abs())

    def multiplicands(self, values: Tensor) -> Tensor:
        """Integers: plus or minus the magnitude, or the magnitude shifted."""
        fine, coarse, flagged = self._nearest(values)
        return torch.where(flagged, coarse * (1 << self.shift), fine)

    def terms(self, values: Tensor) -> tuple[Term]:
        """The multiplicands themselves: what the array adds up."""
        return (Term(1.0, self.multiplicands(values).double()),)

    def _nearest(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Signed magnitudes without the flag, magnitudes with it, and where the latter are nearer."""
        top, ratio = self.largest_magnitude, 1 << self.shift
        counts = values * (1.0 / self.step)
        low, high = (-top, 0) if self.negative else (0, top)
        fine = counts.round().clamp_(low, high)
        coarse = (counts * (1.0 / ratio)).round_().clamp_(0, top)
        return fine, coarse, (coarse * ratio - counts).abs() < (fine - counts).abs()
