"""Asymmetric weights, a step and an integer zero point per output channel (RepQ-ViT; methods reference 0.3, 3a).

weight = step * (code - zero_point). The zero points cost a row sum of the activations at run time.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mixarray.trace.model import Encoding


@dataclass(frozen=True)
class AsymmetricWeightParams:
    """The quantizer of one weight matrix: all 2**bits signed codes are used.

    `steps` float64 (outputs,), finite and above 0; `zero_points` int64 (outputs,), codes of `bits` bits.
    """

    bits: int
    steps: Tensor
    zero_points: Tensor

    def __post_init__(self) -> None:
        half = 1 << (self.bits - 1)
        if self.steps.shape != self.zero_points.shape or self.steps.dim() != 1:
            raise ValueError("steps and zero points must have one entry per output")
        if not bool((self.steps.isfinite() & (self.steps > 0)).all()):
            raise ValueError("steps must be finite and above 0")
        if self.zero_points.is_floating_point():
            raise ValueError("zero points must be integers")
        if not bool(((self.zero_points >= -half) & (self.zero_points < half)).all()):
            raise ValueError(f"a zero point is no {self.bits}-bit code")

    @property
    def encoding(self) -> Encoding:
        """INT."""
        return Encoding.INT

    @property
    def offsets(self) -> Tensor:
        """The zero points, float64."""
        return self.zero_points.double()

    def codes(self, matrix: Tensor) -> Tensor:
        """Signed codes of a weight matrix (outputs, inputs)."""
        zero = self.zero_points.to(matrix.dtype).unsqueeze(1)
        return self.multiplicands(matrix).add_(zero)

    def multiplicands(self, matrix: Tensor) -> Tensor:
        """code - zero_point."""
        zero, half = self.zero_points.to(matrix.dtype).unsqueeze(1), 1 << (self.bits - 1)
        counts = (matrix / self.steps.to(matrix.dtype).unsqueeze(1)).round_()
        return counts.clamp_(-half - zero, half - 1 - zero)
