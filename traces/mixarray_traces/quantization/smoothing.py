"""SQ-b of MPTQ-ViT: channels behind a LayerNorm shifted and smoothed (arXiv 2401.14895).

Known (methods reference 5a): SmoothQuant plus a bias term; after smoothing alone activations stay asymmetric, and a
symmetric quantizer clamps them ("clamping loss"). A guess, hence "inspired by" MPTQ-ViT: t_j = (max X_j + min X_j) / 2,
c_j = max|X_j|**alpha / max|W_:j|**(1 - alpha) and x' = (x - t) / c, which is a `Fold` of factors c and shifts t / c.
Both readings of max|X_j| are built: of the SHIFTED channel, which is what a quantizer meets (default), or the RAW one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mixarray_traces.quantization.affine import SMALLEST_STEP
from mixarray_traces.quantization.folding import Fold
from mixarray_traces.quantization.mptq_options import MptqOptions, SmoothedRange


def smoothing_fold(rows: Tensor, matrix: Tensor, options: MptqOptions) -> Fold:
    """Factors and shifts of the channels of `rows` (n, C), which enter a linear operator `matrix` (N, C).

    Without the bias term shifts are 0. A channel whose values or weights are all 0 keeps its scale.
    """
    low, high = (bound.double() for bound in rows.aminmax(dim=0))
    middle = (high + low) / 2 if options.bias else torch.zeros_like(low)
    shifted = options.smoothed_range is SmoothedRange.SHIFTED
    reach = (high - middle) if shifted and options.bias else torch.maximum(high.abs(), low.abs())
    weights = matrix.detach().double().abs().amax(dim=0)
    alive = (reach > SMALLEST_STEP) & (weights > SMALLEST_STEP)
    factors = torch.where(alive, reach**options.alpha / weights ** (1 - options.alpha), 1.0)
    return Fold(factors, middle / factors)
