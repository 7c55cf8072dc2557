"""Windows as row numbers of the flat token map: gather and scatter of groups of windows are one indexing each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from mixarray_traces.model.windows import WindowGrid, shift_attention_mask, to_windows

PADDED = -1


@lru_cache(maxsize=64)
def window_rows(grid: WindowGrid) -> Tensor:
    """Row of the flat (height * width) map at every position of every window, int64 (windows, window**2).

    Padded positions are -1. Windows are in the order of `model.windows.to_windows`.
    """
    rows = torch.arange(1, grid.height * grid.width + 1).reshape(1, grid.height, grid.width, 1)
    return to_windows(rows, grid).squeeze(-1) - 1


@lru_cache(maxsize=64)
def shift_mask(grid: WindowGrid) -> tuple[Tensor, Tensor]:
    """The shift mask of the windows that have one.

    Returns int64 (windows,), the place in the mask or -1, and the masks, float32 (places, tokens, tokens).
    """
    if not grid.shift:
        return torch.full((grid.count,), -1), torch.empty(0)
    mask = shift_attention_mask(grid.padded_height, grid.padded_width, grid.window, grid.shift)
    masked = mask.flatten(1).any(dim=1)
    place = torch.where(masked, masked.long().cumsum(0) - 1, -1)
    return place, mask[masked]


@dataclass(frozen=True, slots=True)
class WindowGroup:
    """Some windows of a batch of images, to be run at one precision.

    count: windows in the group. window: their number within the image, (count,). token_rows: rows of the flat
    (images * height * width) map that hold their real tokens, in window order. slots: where these tokens stand among
    the count * window**2 positions, None where nothing is padded.
    """

    count: int
    window: Tensor
    token_rows: Tensor
    slots: Tensor | None


def window_group(grid: WindowGrid, windows: Tensor) -> WindowGroup:
    """The group of `windows`, numbered image * grid.count + window, int64."""
    image, window = windows // grid.count, windows % grid.count
    rows = window_rows(grid)[window]
    real = rows != PADDED
    flat = (rows + (image * grid.height * grid.width).unsqueeze(1)).flatten()
    if bool(real.all()):
        return WindowGroup(len(windows), window, flat, None)
    slots = real.flatten().nonzero().squeeze(1)
    return WindowGroup(len(windows), window, flat[slots], slots)
