"""Windows for a wanted share of the work: which of a block's windows run low or are pruned, exact in whole windows.

The weight of a window is a closed form of its block's sizes (methods of MixA-Q: linear layers 12 C^2 per token, QK^T
and AV 49 C each), so what is wanted and what runs are known without the code that counts them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from mixarray.trace.workload import Assignment, WindowCount
from mixarray_traces.record.shape import MapGrid, SwinShape
from mixarray_traces.record.topology import block_grids

Block = tuple[int, int]
Shares = tuple[Fraction, Fraction]
"""(low, pruned): parts of a block's work."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """An assignment, and the shares of all work that it makes low and prunes, exactly."""

    assignment: Assignment
    low: Fraction
    pruned: Fraction


@dataclass(frozen=True, slots=True)
class _Window:
    tokens: int
    macs: int


def choose_windows(
    shape: SwinShape,
    size: tuple[int, int],
    wanted: Callable[[Block], Shares],
    bits: tuple[int, int],
    draw: random.Random,
) -> Chosen:
    """Windows in a random order: the first are pruned, the next run at the low bits, the rest at the high ones.

    size: height and width of the input. What one block misses of its share is made up for by the next, the block of
    fewest windows first, so the whole misses less than half a window of the finest block.
    """
    grids = block_grids(shape, *size)
    assignment: dict[Block, tuple[WindowCount, ...]] = {}
    whole = low = pruned = 0
    owed_low = owed_pruned = Fraction(0)
    for block in sorted(grids, key=lambda block: (grids[block].windows, block)):
        windows = _windows(shape, grids[block], block[0])
        draw.shuffle(windows)
        block_macs = sum(window.macs for window in windows)
        share_low, share_pruned = wanted(block)
        owed_low, owed_pruned = owed_low + share_low * block_macs, owed_pruned + share_pruned * block_macs
        first = _nearest(windows, 0, owed_pruned)
        second = _nearest(windows, first, owed_low)
        parts = windows[second:], windows[first:second], windows[:first]
        done_low, done_pruned = (sum(window.macs for window in part) for part in parts[1:])
        owed_low, owed_pruned = owed_low - done_low, owed_pruned - done_pruned
        whole, low, pruned = whole + block_macs, low + done_low, pruned + done_pruned
        assignment[block] = tuple(_count(width, part) for width, part in zip((*bits, 0), parts, strict=True) if part)
    return Chosen(assignment, Fraction(low, whole), Fraction(pruned, whole))


def split_windows(
    shape: SwinShape,
    size: tuple[int, int],
    low_windows: Callable[[Block, int], int],
    bits: tuple[int, int],
    draw: random.Random,
) -> Chosen:
    """So many windows of each block, drawn at random, at the low bits and the others at the high ones.

    low_windows(block, windows): how many of them. size: height and width of the input.
    """
    assignment: dict[Block, tuple[WindowCount, ...]] = {}
    whole = low = 0
    for block, grid in block_grids(shape, *size).items():
        windows = _windows(shape, grid, block[0])
        draw.shuffle(windows)
        first = len(windows) - low_windows(block, len(windows))
        parts = windows[:first], windows[first:]
        assignment[block] = tuple(_count(width, part) for width, part in zip(bits, parts, strict=True) if part)
        whole += sum(window.macs for window in windows)
        low += sum(window.macs for window in parts[1])
    return Chosen(assignment, Fraction(low, whole), Fraction(0))


def largest_window_weights(shape: SwinShape, size: tuple[int, int]) -> Fraction:
    """The share of all work that one window of every block is, the heaviest of each."""
    grids = block_grids(shape, *size)
    heaviest = sum(max(w.macs for w in _windows(shape, grid, block[0])) for block, grid in grids.items())
    return Fraction(heaviest, sum(block_weights(shape, size).values()))


def block_weights(shape: SwinShape, size: tuple[int, int]) -> Mapping[Block, int]:
    """MACs of every block, in closed form."""
    grids = block_grids(shape, *size)
    return {block: sum(w.macs for w in _windows(shape, grid, block[0])) for block, grid in grids.items()}


def _windows(shape: SwinShape, grid: MapGrid, stage: int) -> list[_Window]:
    """Attention sees all positions of a window, the MLP its real tokens."""
    channels, positions = shape.channels[stage], shape.window**2
    attention = positions * (4 * channels**2 + 2 * positions * channels)
    mlp = 2 * shape.mlp_ratio * channels**2
    return [_Window(tokens, attention + tokens * mlp) for tokens in grid.window_tokens()]


def _nearest(windows: list[_Window], begin: int, wanted: Fraction) -> int:
    """The end of the run of windows from `begin` whose work is nearest to `wanted`."""
    total, end = 0, begin
    while end < len(windows) and total + Fraction(windows[end].macs, 2) < wanted:
        total += windows[end].macs
        end += 1
    return end


def _count(bits: int, windows: list[_Window]) -> WindowCount:
    return WindowCount(bits, len(windows), sum(window.tokens for window in windows))
