"""StatsQ, the weight quantizer of OFQ (Liu et al., ICML 2023, arXiv 2302.02210): half-integers, no learned scale.

Known (methods reference 4a, from the public code): per output s = 2 mean|w|, u = w / s clipped to [-1, 1 - 1e-6],
n = 2**(bits - 1), w^ = s (round(u n - 1/2) + 1/2) / n; the gradient passes straight through to w, s is detached. So
weight = step * (code + 1/2) with step = s / n and codes -n .. n - 1: no weight is 0. In hardware the codes are integers
of `bits` bits and the half costs a row sum of the activations (methods reference 4b).

Ours: an output whose weights are all 0 gets a step of 1e-30 instead of 0.

The trainable and the frozen form share `position` and `steps_of`; steps are powers of two below s, so saving them loses
nothing and both give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mixarray.trace.model import Encoding
from mixarray_traces.quantization.affine import SMALLEST_STEP

CLIP = 1 - 1e-6
"""Largest u: just below 1, so that the last code is n - 1."""


@dataclass(frozen=True)
class StatsqParams:
    """The frozen quantizer of one weight matrix (outputs, inputs): `steps` float64 (outputs,), finite and above 0."""

    bits: int
    steps: Tensor

    def __post_init__(self) -> None:
        if self.steps.dim() != 1 or not bool((self.steps.isfinite() & (self.steps > 0)).all()):
            raise ValueError("steps must be one finite number above 0 per output")

    @property
    def encoding(self) -> Encoding:
        """HALF_INT."""
        return Encoding.HALF_INT

    @property
    def zero_points(self) -> None:
        """None: the offset is the same half for all outputs."""
        return None

    @property
    def offsets(self) -> Tensor:
        """-1/2 for every output."""
        return torch.full_like(self.steps, -0.5)

    def codes(self, matrix: Tensor) -> Tensor:
        """-2**(bits - 1) to 2**(bits - 1) - 1."""
        return position(matrix, self.steps.to(matrix), self.bits).round_()

    def multiplicands(self, matrix: Tensor) -> Tensor:
        """code + 1/2."""
        return self.codes(matrix).add_(0.5)


def statsq_params(matrix: Tensor, bits: int) -> StatsqParams:
    """The quantizer of `matrix` (outputs, inputs) as it is now."""
    return StatsqParams(bits, steps_of(matrix, bits).double().cpu())


def steps_of(matrix: Tensor, bits: int) -> Tensor:
    """Steps s / n per output, (outputs,) in the dtype of `matrix`, without gradient."""
    mean = matrix.detach().abs().mean(dim=1)
    return (2 * mean / (1 << (bits - 1))).clamp_min_(SMALLEST_STEP)


def position(matrix: Tensor, steps: Tensor, bits: int) -> Tensor:
    """u n - 1/2 of every weight: where it lies among the codes, before it is rounded; a new tensor."""
    levels = 1 << (bits - 1)
    return (matrix.detach() / (steps * levels).unsqueeze(1)).clamp_(-1, CLIP).mul_(levels).sub_(0.5)


def near_threshold(matrix: Tensor, bits: int, boundary: float) -> Tensor:
    """Which weights lie near the middle between two codes: their fraction is within 1/2 +- `boundary`; bool.

    Confidence-guided annealing trains these and freezes all others (methods reference 4a). A guess: a weight beyond the
    middle of its last code is frozen, too. Clipped ones have the fraction 1/2, but no second code.
    """
    place, levels = position(matrix, steps_of(matrix, bits), bits), 1 << (bits - 1)
    below = place.floor()
    between = (below >= -levels) & (below < levels - 1)
    return between & ((place - below - 0.5).abs() <= boundary)


class _StraightThrough(torch.autograd.Function):
    """Multiplicands forward; backward as if they were w / step, also where w is clipped."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, steps: Tensor, bits: int) -> Tensor:
        ctx.save_for_backward(steps)
        return position(matrix, steps, bits).round_().add_(0.5)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None, None]:
        (steps,) = ctx.saved_tensors
        return gradients[0] / steps.unsqueeze(1), None, None


def trainable_multiplicands(matrix: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """The trainable form: multiplicands with the straight-through gradient, and steps (outputs,) without one."""
    steps = steps_of(matrix, bits)
    found: Tensor = _StraightThrough.apply(matrix, steps, bits)  # type: ignore[no-untyped-call]
    return found, steps
