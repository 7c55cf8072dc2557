"""Ranking windows in hardware: how long a sorter takes for so many scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sorter:
    """A way to put scores in order.

    cycles(scores, width): cycles for that many scores on a sorter that handles `width` of them per cycle.
    compares(scores): comparisons, which the energy model charges.
    """

    name: str
    title: str
    cycles: Callable[[int, int], int]
    compares: Callable[[int], int]
    source: str
