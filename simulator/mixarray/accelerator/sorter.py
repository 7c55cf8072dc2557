"""Ranking windows in hardware: how long a sorter takes for so many scores, and how often it reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SCORE_BITS = 16
"""A window's score, as it lies in the activation buffer (assumed: the width of the residual stream)."""
NUMBER_BITS = 16
"""The number of a window, which goes with its score where scores change places (assumed: 2**16 windows in a grid)."""


@dataclass(frozen=True, slots=True)
class Sorter:
    """A way to tell which windows score highest.

    cuts: places between groups, counted from the best window on; whoever puts all scores in full order needs to know
    none. cycles(scores, width, cuts): cycles on a sorter that handles `width` scores per cycle.
    compares(scores, cuts): comparisons, which the energy model charges. walks(scores, cuts): times that all scores are
    read from the activation buffer.
    swaps: scores change places in the buffer: every walk but the last writes them back, with the numbers of their
    windows, and the next one reads both. dedicated: hardware of its own, one for each grid; the vector unit is not
    occupied.
    """

    name: str
    title: str
    cycles: Callable[[int, int, int], int]
    compares: Callable[[int, int], int]
    walks: Callable[[int, int], int]
    swaps: bool
    dedicated: bool
    source: str
