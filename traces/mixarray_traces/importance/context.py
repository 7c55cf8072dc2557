"""What an importance score may look at, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mixarray_traces.model.windows import WindowGrid, to_windows


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known about an image besides its pixels. `boxes`: (n, 4) x0 y0 x1 y1 in px, None where unknown."""

    seed: int = 0
    boxes: Tensor | None = None


@dataclass(frozen=True, slots=True)
class ScoreContext:
    """A stage's entry, seen on one window grid.

    tokens: input of the stage's first block, (images, height, width, C), before its LayerNorm.
    premerge: what the normalisation just before the stage saw, at the same positions: the 4C concatenation of merging,
        or the patch embedding before its norm, (images, height, width, C').
    grid: how windows are cut; the shifted grid sees the same tokens, rolled.
    stage, stride: number of the stage, and px per token.
    images: facts per image.
    """

    tokens: Tensor
    premerge: Tensor
    grid: WindowGrid
    stage: int
    stride: int
    images: tuple[ImageFacts, ...]


class Score(Protocol):
    """One score per window, (images, windows): higher is more important. The lowest windows run low."""

    def __call__(self, context: ScoreContext) -> Tensor:
        """Score the windows of `context.grid`."""
        ...


def l2_over_windows(token_map: Tensor, grid: WindowGrid) -> Tensor:
    """Root of the sum of squares over each window of a map (images, height, width); padding counts 0."""
    return sums_over_windows(token_map.square(), grid).sqrt()


def sums_over_windows(token_map: Tensor, grid: WindowGrid) -> Tensor:
    """Sum over each window of a map (images, height, width), as (images, windows)."""
    windows = to_windows(token_map.unsqueeze(-1), grid)
    return windows.sum(dim=(1, 2)).reshape(token_map.shape[0], grid.count)


def object_tokens(context: ScoreContext) -> Tensor:
    """1 where a token's square of pixels overlaps a box, else 0: (images, height, width).

    Raises ValueError where an image has no known boxes.
    """
    height, width = context.grid.height, context.grid.width
    covered = torch.zeros(len(context.images), height, width, dtype=context.tokens.dtype)
    top = torch.arange(height, dtype=torch.float64) * context.stride
    left = torch.arange(width, dtype=torch.float64) * context.stride
    for index, facts in enumerate(context.images):
        if facts.boxes is None:
            raise ValueError("boxes are needed, and this image has none")
        for x0, y0, x1, y1 in facts.boxes.tolist():
            rows = (top < y1) & (top + context.stride > y0)
            columns = (left < x1) & (left + context.stride > x0)
            covered[index] += (rows[:, None] & columns[None, :]).to(covered.dtype)
    return covered.clamp_(max=1)
