"""LSQ, the activation quantizer of OFQ: learned steps (Esser et al., ICLR 2020; Liu et al., ICML 2023).

Known (methods reference 4a, from the public code): x^ = s clip(round(x / s), lo, hi) with a learned s, its gradient
scaled by 1 / sqrt(hi numel), s = 2 mean|x| / sqrt(hi) at first (4 instead of 2 where unsigned). Steps have the size of
the second-last dimension: one per position of a window, one per query row of an attention map; `v` has one per channel
of a head. Inputs of linear operators are signed except behind a GELU; softmax outputs are unsigned. A learned vector is
added before the quantizer and another one behind it.

Ours: the inputs of the MLP are real tokens without a position, so they have one step (published: one per column of the
map, which ties a model to one width); inputs outside the blocks have one, too. Steps never fall below 1e-5. The vectors
stand at inputs of linear operators only: behind an operand of an activation product one would be run-time work.

In hardware a step per position is a scale per row of the result, next to the scale per column; the vector before the
quantizer folds into what makes the input, the one behind it into the bias of the linear operator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor

from mixarray.errors import InputError
from mixarray.trace.model import Encoding
from mixarray_traces.quantization.quantizers import ActivationQuantizer, Term

SMALLEST_LEARNED_STEP = 1e-5


class StepLayout(StrEnum):
    """What has a step of its own: a ROW (second-last dimension), a COLUMN (last dimension), or the whole TENSOR."""

    ROW = "row"
    COLUMN = "column"
    TENSOR = "tensor"


def step_layout(tensor: str) -> StepLayout:
    """The layout of an activation tensor, by its name in the trace.

    Keys enter QK^T transposed, so their positions are columns; so are the channels of `v`.
    """
    if ".attn." not in tensor:
        return StepLayout.TENSOR
    return StepLayout.COLUMN if tensor.endswith(".right") else StepLayout.ROW


def is_unsigned(tensor: str) -> bool:
    """Whether codes below 0 are not needed: softmax outputs, and what a GELU leaves (with a vector added before)."""
    return tensor.endswith((".av.left", ".fc2.input"))


def limits(bits: int, unsigned: bool) -> tuple[int, int]:
    """Lowest and highest multiplicand."""
    return (0, (1 << bits) - 1) if unsigned else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def first_step(mean_magnitude: Tensor, bits: int, unsigned: bool) -> Tensor:
    """The step that LSQ begins with, float32-valued so that saving loses nothing."""
    factor = (4 if unsigned else 2) / math.sqrt(limits(bits, unsigned)[1])
    return (mean_magnitude * factor).clamp_min(SMALLEST_LEARNED_STEP).float()


@dataclass(frozen=True)
class LsqParams:
    """The frozen quantizer of one activation tensor at one bit width.

    Parameters
    ----------
    bits: width of a code.
    steps: float64, (), (positions, 1) or (1, columns); finite and above 0.
    unsigned: multiplicands 0 .. 2**bits - 1 instead of -2**(bits - 1) .. 2**(bits - 1) - 1.
    before, after: float64 (channels,) or None, added before quantizing and to the quantized values.
    """

    bits: int
    steps: Tensor
    unsigned: bool = False
    before: Tensor | None = None
    after: Tensor | None = None

    def __post_init__(self) -> None:
        shape = tuple(self.steps.shape)
        if not (shape == () or (len(shape) == 2 and 1 in shape)):
            raise ValueError(f"steps of shape {shape}; allowed: one, (positions, 1) or (1, columns)")
        if not bool((self.steps.isfinite() & (self.steps > 0)).all()):
            raise ValueError("steps must be finite and above 0")
        for vector in (self.before, self.after):
            if vector is not None and (vector.dim() != 1 or not bool(vector.isfinite().all())):
                raise ValueError("vectors must have one finite number per channel")

    @property
    def encoding(self) -> Encoding:
        """INT."""
        return Encoding.INT

    @property
    def step(self) -> float | Tensor:
        """One number, or the tensor of steps."""
        return float(self.steps) if self.steps.dim() == 0 else self.steps

    @property
    def zero_point(self) -> int:
        """0, or -2**(bits - 1) where unsigned: codes are signed."""
        return -(1 << (self.bits - 1)) if self.unsigned else 0

    @property
    def offset(self) -> float:
        """The zero point."""
        return float(self.zero_point)

    def codes(self, values: Tensor) -> Tensor:
        """Signed codes."""
        return self.multiplicands(values).add_(self.zero_point)

    def multiplicands(self, values: Tensor) -> Tensor:
        """clip(round((x + before) / step)). Raises InputError for maps with other windows than the steps are for."""
        shifted = values if self.before is None else values + self.before.to(values)
        return rounded(ratio(shifted, self.steps.to(values)), self.bits, self.unsigned)

    def terms(self, values: Tensor) -> tuple[Term]:
        """The codes themselves."""
        return (Term(1.0, self.codes(values).double()),)


def after_of(quantizer: ActivationQuantizer) -> Tensor | None:
    """The vector that stands behind a quantizer, (channels,), if there is one."""
    return quantizer.after if isinstance(quantizer, LsqParams) else None


def bias_with(bias: Tensor, multiplicands: Tensor, steps: Tensor, after: Tensor | None) -> Tensor:
    """The bias (outputs,) of a linear operator with the share of the vector behind its input: W^ after.

    `multiplicands` (outputs, channels) and `steps` (outputs,) are those of the quantized weight W^.
    """
    return bias if after is None else bias + (multiplicands @ after.to(multiplicands)) * steps


def ratio(values: Tensor, steps: Tensor) -> Tensor:
    """values / steps; InputError where a window has other positions than there are steps."""
    if steps.dim() and steps.shape[-2] not in (1, values.shape[-2]):
        message = f"{values.shape[-2]} positions a window, steps for {steps.shape[-2]}: take a larger image"
        raise InputError("input size", message)
    return values / steps


def rounded(ratios: Tensor, bits: int, unsigned: bool) -> Tensor:
    """Multiplicands of x / step; a new tensor."""
    return ratios.round().clamp_(*limits(bits, unsigned))


class _LearnedStep(torch.autograd.Function):
    """Multiplicands of values and steps. Times the step, their gradients are LSQ's (Esser et al., eq. 3 and 5)."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, steps: Tensor, bits: int, unsigned: bool) -> Tensor:
        ratios = ratio(values, steps)
        ctx.save_for_backward(ratios, steps)
        ctx.limits = limits(bits, unsigned)
        return rounded(ratios, bits, unsigned)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor, None, None]:
        ratios, steps = ctx.saved_tensors
        low, high = ctx.limits
        # One pass: the gradient where low < ratio < high (Esser et al., eq. 3), else 0.
        inside: Tensor = torch.ops.aten.hardtanh_backward(gradients[0], ratios, low, high)
        of_values = inside / steps
        return of_values, -(of_values * ratios).sum_to_size(steps.shape), None, None


class _ScaledGradient(torch.autograd.Function):
    """The same number forward, `scale` times the gradient backward."""

    @staticmethod
    def forward(ctx: Any, steps: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return steps.view_as(steps)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:
        return gradients[0] * ctx.scale, None


@dataclass(frozen=True)
class LsqLearner:
    """The trainable form: the same numbers as float32 leaves with gradients."""

    bits: int
    steps: Tensor
    unsigned: bool
    before: Tensor | None
    after: Tensor | None

    @classmethod
    def of(cls, quantizer: LsqParams, device: str = "cpu") -> LsqLearner:
        """Learners that begin where a frozen quantizer stands."""
        vectors = (None if one is None else _leaf(one, device) for one in (quantizer.before, quantizer.after))
        return cls(quantizer.bits, _leaf(quantizer.steps, device), quantizer.unsigned, *vectors)

    def freeze(self) -> LsqParams:
        """The quantizer as it stands now."""
        vectors = (None if one is None else one.detach().double().cpu() for one in (self.before, self.after))
        return LsqParams(self.bits, self.steps.detach().double().cpu(), self.unsigned, *vectors)

    def parameters(self) -> dict[str, Tensor]:
        """What is learned, by name."""
        named = {"steps": self.steps, "before": self.before, "after": self.after}
        return {name: value for name, value in named.items() if value is not None}

    def quantize(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Multiplicands, and the steps they are worth, both with LSQ's gradients."""
        shifted = values if self.before is None else values + self.before
        scale = 1 / math.sqrt(limits(self.bits, self.unsigned)[1] * values.numel())
        steps: Tensor = _ScaledGradient.apply(self.steps, scale)  # type: ignore[no-untyped-call]
        multiplicands: Tensor = _LearnedStep.apply(  # type: ignore[no-untyped-call]
            shifted, steps, self.bits, self.unsigned
        )
        return multiplicands, steps


def _leaf(values: Tensor, device: str) -> Tensor:
    return values.detach().to(device, torch.float32, copy=True).requires_grad_()
