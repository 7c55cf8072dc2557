"""mmdetection merges patches with `nn.Unfold`: another order of the 4C inputs of a merging.

Ours (Microsoft's, torchvision's, timm's and Hugging Face's too) is patch by patch, upper left, lower left, upper right,
lower right, C channels each. Unfold's is channel by channel, its four patches row by row: upper left, upper right,
lower left, lower right (mmdetection, `models/utils/ckpt_convert.py`, which goes the other way).
"""

from __future__ import annotations

from torch import Tensor

_OURS_IN_UNFOLD = (0, 2, 1, 3)
"""Where our patches stand in Unfold's row by row order; its own inverse."""


def reduction_from_unfold(weight: Tensor) -> Tensor:
    """A merging's matrix (outputs, 4C) whose inputs are in Unfold's order, with its inputs in ours."""
    outputs, inputs = weight.shape
    by_patch = weight.reshape(outputs, inputs // 4, 4).transpose(1, 2)
    return by_patch[:, list(_OURS_IN_UNFOLD)].reshape(outputs, inputs)


def norm_from_unfold(vector: Tensor) -> Tensor:
    """A merging's LayerNorm vector (4C,) in Unfold's order, in ours."""
    return reduction_from_unfold(vector.unsqueeze(0)).squeeze(0)
