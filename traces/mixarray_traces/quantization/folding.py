"""Changing the scale and the zero of the channels between a LayerNorm and the linear operator behind it.

RepQ-ViT's reparameterisation (methods reference 3a): with factors r and shifts b per channel, x' = x / r - b is what
the LayerNorm gives (gamma' = gamma / r, beta' = beta / r - b), and W' = W r, bias' = bias + W' b undo it: the function
is the same. Padded positions, which are 0 behind the first LayerNorm of a block, become -b. A model stores r and b
beside its weights as they were trained; both branches run on the one folded copy.

Exact: up to rounding, also in maps that are padded to whole windows on either grid.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mixarray_traces.model.kinds import Model, blocks_by_name
from mixarray_traces.model.swin import PatchMerging, SwinStage


@dataclass(frozen=True)
class Fold:
    """Factors r (above 0) and shifts b of the input channels of one linear operator, float64 (C,) each."""

    factors: Tensor
    shifts: Tensor

    def __post_init__(self) -> None:
        if self.factors.dim() != 1 or self.factors.shape != self.shifts.shape:
            raise ValueError("factors and shifts must have one entry per channel")
        if self.factors.dtype != torch.float64 or self.shifts.dtype != torch.float64:
            raise ValueError("factors and shifts must be float64")
        if not bool((self.factors.isfinite() & (self.factors > 0)).all() and self.shifts.isfinite().all()):
            raise ValueError("factors must be finite and above 0, shifts finite")

    def values(self, values: Tensor) -> Tensor:
        """What the folded LayerNorm gives instead of `values` (..., C), float64."""
        return values.double() / self.factors - self.shifts


Folding = Mapping[str, Fold]
"""By the name of the linear operator behind the LayerNorm; empty: the model runs as it was trained."""

NO_FOLDING: Folding = {}


@dataclass(frozen=True)
class FoldedLayer:
    """New parameters: LayerNorm `gamma` and `beta` (C,), `matrix` (N, C), `bias` (N,); all float64.

    `padding` (C,) is what stands for 0 behind the LayerNorm: -b.
    """

    gamma: Tensor
    beta: Tensor
    matrix: Tensor
    bias: Tensor
    padding: Tensor


def fold_layer(gamma: Tensor, beta: Tensor, matrix: Tensor, bias: Tensor | None, fold: Fold) -> FoldedLayer:
    """Fold one pair of LayerNorm and linear operator; a missing bias counts as 0."""
    gamma, beta, matrix = gamma.detach().double(), beta.detach().double(), matrix.detach().double()
    scaled = matrix * fold.factors
    before = 0 if bias is None else bias.detach().double()
    return FoldedLayer(
        gamma / fold.factors,
        beta / fold.factors - fold.shifts,
        scaled,
        before + scaled @ fold.shifts,
        -fold.shifts,
    )


def foldable_layers(model: Model) -> dict[str, tuple[nn.LayerNorm, nn.Linear]]:
    """Every linear operator that a LayerNorm alone feeds, inside the stages, by its name in the trace."""
    found: dict[str, tuple[nn.LayerNorm, nn.Linear]] = {}
    for index, stage in enumerate(model.backbone.layers):
        if isinstance(stage, SwinStage) and isinstance(stage.downsample, PatchMerging):
            merging = stage.downsample
            found[f"stages.{index - 1}.downsample.reduction"] = merging.norm, merging.reduction
    for name, block in blocks_by_name(model).items():
        found[f"{name}.attn.qkv"] = block.norm1, block.attn.qkv
        found[f"{name}.mlp.fc1"] = block.norm2, block.mlp.fc1
    return found


@torch.no_grad()
def fold_model(model: Model, folding: Folding) -> Model:
    """A copy of the model with `folding` applied, the same function; the model itself where nothing is folded."""
    if not folding:
        return model
    folded = copy.deepcopy(model)
    layers = foldable_layers(folded)
    paddings: dict[str, Tensor] = {}
    for name, fold in folding.items():
        norm, linear = layers[name]
        new = fold_layer(norm.weight, norm.bias, linear.weight, linear.bias, fold)
        norm.weight.copy_(new.gamma)
        norm.bias.copy_(new.beta)
        linear.weight.copy_(new.matrix)
        linear.bias = nn.Parameter(new.bias.to(linear.weight.dtype), requires_grad=False)
        paddings[name] = new.padding.to(linear.weight)
    for name, block in blocks_by_name(folded).items():
        block.padding = paddings.get(f"{name}.attn.qkv")
    return folded
