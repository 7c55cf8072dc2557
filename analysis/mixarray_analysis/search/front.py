"""Fronts of two objectives: what is on one, and how far two are apart. Cost is small, accuracy is large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, slots=True, order=True)
class Trade:
    """What a setting costs (smaller is better) and what it gives (larger is better)."""

    cost: float
    accuracy: float


def front_of(points: Sequence[Trade]) -> list[Trade]:
    """The points that no other beats in both, by rising cost; of equal points one."""
    found: list[Trade] = []
    for point in sorted(points, key=lambda one: (one.cost, -one.accuracy)):
        if not found or point.accuracy > found[-1].accuracy:
            found.append(point)
    return found


@dataclass(frozen=True, slots=True)
class Gain:
    """How much less a front costs at equal accuracy: cost of the other over its own, minus 1.

    mean: over the range of accuracies that both reach, each accuracy weighing the same. least, most: in that range.
    levels: accuracies of either front in it, between which nothing changes.
    """

    mean: float
    least: float
    most: float
    levels: int


def gain_at_equal_accuracy(own: Sequence[Trade], other: Sequence[Trade]) -> Gain | None:
    """Compare two fronts at every accuracy that both reach; None where their accuracies do not overlap.

    At an accuracy each front costs what its cheapest point of at least that accuracy costs; nothing is interpolated.
    So a level stands for all accuracies down to the next lower one, and weighs as much: a mean over levels would
    count most where points crowd. Accuracies below the lowest of one of the fronts are left out: it was not searched
    there.
    """
    mine, theirs = front_of(own), front_of(other)
    if not mine or not theirs:
        return None
    lowest = max(mine[0].accuracy, theirs[0].accuracy)
    highest = min(mine[-1].accuracy, theirs[-1].accuracy)
    levels = sorted({one.accuracy for one in (*mine, *theirs) if lowest <= one.accuracy <= highest})
    if not levels:
        return None
    gains = [_cheapest(theirs, level) / _cheapest(mine, level) - 1 for level in levels]
    widths = [above - below for below, above in pairwise(levels)]
    mean = float(np.average(gains[1:], weights=widths)) if widths else gains[0]
    return Gain(mean, min(gains), max(gains), len(levels))


def _cheapest(front: Sequence[Trade], accuracy: float) -> float:
    return min(one.cost for one in front if one.accuracy >= accuracy)
