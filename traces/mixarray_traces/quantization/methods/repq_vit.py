"""RepQ-ViT (Li et al., ICCV 2023, arXiv 2212.08254): scale reparameterisation and log-sqrt2 softmax, no training.

Known (methods reference 3a, from the public code): every weight is asymmetric per output channel; inputs behind a
LayerNorm (qkv, fc1, merging reduction) are calibrated per channel and made per tensor by folding the channels' factors
r = s_c / mean(s) and shifts b = -mean(s) (z_c - mean(z)) into LayerNorm and weights; softmax outputs are log-sqrt2; all
else is asymmetric per tensor; every range is found by `percentile_search.py`.

For two branches r and b must be shared: the weights have one copy. They come from the channel ranges at the bits of the
high branch. Published nowhere, hence guesses: a branch's step and zero point behind a LayerNorm are searched for its
own bits on the folded values (`own`: the least squared error among three percentiles and the shared one), or shared
with the high branch, the low step being (2**high - 1) / (2**low - 1) = 17 times the high one (`shared`; at 8 and 4
bits: a layer with bits of its own has its own ratio); both branches see all windows of all calibration images.

Ours: the mean zero point is rounded before b is computed (`rounded`). With the shared step at the bits of the high
branch every channel's integer codes are then those of its own quantizer, and value 0, which pads maps, stays exact; a
step of `own` and the low branch round it like any value. A step that `own` finds has an integer zero point, also where
the shared one's is a fraction. Patch embedding, merging and head are 8-bit groups (published: weights of all of them at
the blocks' bits). Calibration keeps a sample of each tensor (`SAMPLING`), the published code one batch of 32 images
whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mixarray_traces.quantization.affine import AffineParams
from mixarray_traces.quantization.arithmetic import Calibration, Weight
from mixarray_traces.quantization.folding import Fold
from mixarray_traces.quantization.fractional import FractionalParams
from mixarray_traces.quantization.method import Material, Outcome
from mixarray_traces.quantization.options import (
    BranchSteps,
    QuantizationOptions,
    RepqOptions,
    SoftmaxZero,
    ZeroPoints,
)
from mixarray_traces.quantization.percentile_search import (
    ChannelSteps,
    least_error,
    search_channels,
    search_log_sqrt2,
    search_tensor,
    search_weight,
)
from mixarray_traces.quantization.quantizers import ActivationQuantizer
from mixarray_traces.quantization.ranges import Sampling, Statistics, spread

AFTER_NORM = (".attn.qkv.input", ".mlp.fc1.input", ".downsample.reduction.input")
"""Tensors that a LayerNorm leaves: their channels are folded."""
SAMPLING = Sampling(values_per_call=65536, rows_per_call=8192, row_tensors=AFTER_NORM)
"""Enough that the widest percentile, 1 value in 100 000, is not merely the largest value."""
_FOLDED_SAMPLE = 1 << 19


def calibrate(material: Material, options: QuantizationOptions) -> Outcome:
    """Choose every quantizer of the model, and what is folded."""
    chosen = options.repq or RepqOptions()
    activations: dict[tuple[str, int], ActivationQuantizer] = {}
    folding, weights = {}, dict(material.weights)
    for name, seen in material.statistics.items():
        branches = material.activation_bits[name]
        widths = tuple(branches.values())
        if seen.rows is not None:
            linear = name.removesuffix(".input")
            shared = reparameterise(search_channels(seen.rows, widths[0]), chosen.zero_points)
            folding[linear] = shared.fold
            weights[linear] = _folded(material.weights[linear], shared.fold)
            sample = spread(shared.fold.values(seen.rows).flatten(), _FOLDED_SAMPLE)
            found = [_branch(shared, sample, bits, chosen.branch_steps) for bits in widths]
        else:
            found = [_per_tensor(name, seen, bits, chosen) for bits in widths]
        activations |= {(name, branch): one for branch, one in zip(branches, found, strict=True)}
    quantizers = {name: search_weight(one.matrix, material.weight_bits[name]) for name, one in weights.items()}
    return Outcome(Calibration(activations, quantizers), folding)


@dataclass(frozen=True, slots=True)
class Reparameterised:
    """What the channels of a tensor have in common once folded: bits, step, and the signed code of value 0."""

    bits: int
    step: float
    zero: float
    fold: Fold

    def at(self, bits: int) -> ActivationQuantizer:
        """The same range at other bits: 17 times the step from 8 to 4."""
        ratio = ((1 << self.bits) - 1) / ((1 << bits) - 1)
        zero = (self.zero + (1 << (self.bits - 1))) / ratio - (1 << (bits - 1))
        if self.zero == round(self.zero):
            return AffineParams(bits, self.step * ratio, round(zero))
        return FractionalParams(bits, self.step * ratio, zero)


def reparameterise(channels: ChannelSteps, zero_points: ZeroPoints) -> Reparameterised:
    """The mean step and zero point of the channels, and the fold that gives them to all; flat channels stay."""
    alive = ~channels.flat
    if not bool(alive.any()):
        one = torch.ones_like(channels.steps)
        return Reparameterised(channels.bits, 1.0, 0.0, Fold(one, torch.zeros_like(one)))
    step = float(channels.steps[alive].mean())
    zero = float(channels.zero_points[alive].double().mean())
    if zero_points is ZeroPoints.ROUNDED:
        zero = float(round(zero))
    factors = torch.where(alive, channels.steps / step, 1.0)
    shifts = torch.where(alive, -step * (channels.zero_points.double() - zero), 0.0)
    return Reparameterised(channels.bits, step, zero, Fold(factors, shifts))


def _branch(shared: Reparameterised, sample: Tensor, bits: int, steps: BranchSteps) -> ActivationQuantizer:
    """The quantizer of one branch behind a LayerNorm; `sample` are folded values."""
    if steps is BranchSteps.SHARED:
        return shared.at(bits)
    candidates: list[ActivationQuantizer] = [shared.at(bits), search_tensor(sample, bits)]
    return least_error(sample, candidates)


def _per_tensor(name: str, seen: Statistics, bits: int, options: RepqOptions) -> ActivationQuantizer:
    if name.endswith(".av.left"):
        extra_zero = options.softmax_zero is SoftmaxZero.EXTRA_ZERO
        return search_log_sqrt2(seen.sample, bits, options.largest_shift, extra_zero)
    return search_tensor(seen.sample, bits)


def _folded(weight: Weight, fold: Fold) -> Weight:
    return Weight(weight.matrix.double() * fold.factors, weight.bias)
