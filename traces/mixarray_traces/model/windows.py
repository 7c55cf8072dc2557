"""Window geometry of the Swin transformer: padding, partition, shift masks and relative positions.

Pure functions, shared by the plain model and by the quantized two-branch block.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor
from torch.nn import functional

MASKED = -100.0
"""What the shift mask adds to a logit between two regions (as in the original Swin)."""


class SmallMapRule(Enum):
    """What a block does on a map not larger than the window in at least one direction."""

    SHRINK = "shrink"
    """Hugging Face and the original classification code: no shift, and the window is min(height, width)."""
    PAD = "pad"
    """The original detection code: the map is padded to whole windows and shifted like any other."""


@dataclass(frozen=True)
class WindowGrid:
    """How a map of height x width tokens is cut into windows.

    Attributes:
        height, width: the map, in tokens.
        window: side of a window, in tokens.
        shift: cyclic shift towards the upper left, in tokens; 0 on the regular grid.
    """

    height: int
    width: int
    window: int
    shift: int

    @property
    def padded_height(self) -> int:
        """Height of the map padded to whole windows."""
        return -(-self.height // self.window) * self.window

    @property
    def padded_width(self) -> int:
        """Width of the map padded to whole windows."""
        return -(-self.width // self.window) * self.window

    @property
    def count(self) -> int:
        """Windows of one image."""
        return (self.padded_height // self.window) * (self.padded_width // self.window)


def window_grid(height: int, width: int, window: int, shift: int, rule: SmallMapRule) -> WindowGrid:
    """The grid a block uses on a map, after the rule for small maps."""
    if min(height, width) <= window and rule is SmallMapRule.SHRINK:
        return WindowGrid(height, width, min(height, width), 0)
    return WindowGrid(height, width, window, shift)


def window_partition(x: Tensor, window: int) -> Tensor:
    """Cut a map into windows, row by row.

    Args:
        x: (batch, height, width, channels), height and width multiples of `window`.
        window: side of a window, in tokens.

    Returns:
        (batch * windows, window * window, channels); the windows of one image are adjacent.
    """
    batch, height, width, channels = x.shape
    tiles = x.reshape(batch, height // window, window, width // window, window, channels)
    return tiles.permute(0, 1, 3, 2, 4, 5).reshape(-1, window * window, channels)


def window_reverse(windows: Tensor, window: int, height: int, width: int) -> Tensor:
    """Undo `window_partition`.

    Args:
        windows: (batch * windows, window * window, channels).
        window: side of a window, in tokens.
        height, width: the padded map, in tokens.

    Returns:
        (batch, height, width, channels).
    """
    channels = windows.shape[-1]
    tiles = windows.reshape(-1, height // window, width // window, window, window, channels)
    return tiles.permute(0, 1, 3, 2, 4, 5).reshape(-1, height, width, channels)


def to_windows(x: Tensor, grid: WindowGrid, padding: Tensor | None = None) -> Tensor:
    """Pad a map to whole windows, shift it cyclically and cut it.

    Args:
        x: (batch, grid.height, grid.width, channels), after norm1.
        padding: what padded positions hold, (channels,); None: zeros.

    Returns:
        (batch * grid.count, window * window, channels).
    """
    below, right = grid.padded_height - grid.height, grid.padded_width - grid.width
    if below or right:
        x = functional.pad(x, (0, 0, 0, right, 0, below))
        if padding is not None:
            x[:, grid.height :] = padding
            x[:, :, grid.width :] = padding
    if grid.shift:
        x = torch.roll(x, (-grid.shift, -grid.shift), (1, 2))
    return window_partition(x, grid.window)


def from_windows(windows: Tensor, grid: WindowGrid) -> Tensor:
    """Undo `to_windows`: (batch * grid.count, window * window, channels) to (batch, height, width, channels)."""
    x = window_reverse(windows, grid.window, grid.padded_height, grid.padded_width)
    if grid.shift:
        x = torch.roll(x, (grid.shift, grid.shift), (1, 2))
    return x[:, : grid.height, : grid.width]


def shift_attention_mask(height: int, width: int, window: int, shift: int) -> Tensor:
    """What a shifted grid adds to its attention logits so that only tokens that were neighbours attend to each other.

    Args:
        height, width: the padded map, in tokens.
        window: side of a window, in tokens.
        shift: cyclic shift, in tokens, above 0.

    Returns:
        float32 (windows, window * window, window * window): 0 within a region, -100 between regions.
    """
    rows = _region(height, window, shift)
    columns = _region(width, window, shift)
    regions = window_partition((3 * rows[:, None] + columns[None, :])[None, :, :, None], window)[:, :, 0]
    return torch.where(regions[:, None, :] == regions[:, :, None], 0.0, MASKED)


def _region(length: int, window: int, shift: int) -> Tensor:
    position = torch.arange(length)
    return (position >= length - window).long() + (position >= length - shift).long()


def relative_position_index(window: int, table_window: int | None = None) -> Tensor:
    """Row of the bias table for each pair of tokens of a window.

    Args:
        window: side of the window, in tokens.
        table_window: side of the window the table was made for; larger than `window` only on small maps.

    Returns:
        int64 (window * window, window * window), values below (2 * table_window - 1) ** 2.
    """
    table_window = window if table_window is None else table_window
    axis = torch.arange(window)
    rows, columns = axis.repeat_interleave(window), axis.repeat(window)
    row_offset = rows[:, None] - rows[None, :] + table_window - 1
    column_offset = columns[:, None] - columns[None, :] + table_window - 1
    return row_offset * (2 * table_window - 1) + column_offset
