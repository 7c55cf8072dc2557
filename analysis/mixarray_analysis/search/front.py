"""Fronts of two objectives: what is on one, and how far two are apart. Cost is small, accuracy is large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, hypot
from statistics import fmean


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


def hypervolume(points: Sequence[Trade], reference: Trade) -> float:
    """The area that points dominate, bounded by a reference point (Zitzler and Thiele 1999); 0 for none beyond it."""
    better = [one for one in front_of(points) if one.cost < reference.cost and one.accuracy > reference.accuracy]
    floors = [reference.accuracy, *(one.accuracy for one in better[:-1])] if better else []
    strips = zip(better, floors, strict=True)
    return fsum((reference.cost - one.cost) * (one.accuracy - floor) for one, floor in strips)


def igd_plus(found: Sequence[Trade], true: Sequence[Trade]) -> float:
    """Mean distance from the points of the true front to what of them a found front lacks (IGD+, Ishibuchi 2015).

    The true front's extent is 1 in both directions, so the number is a share of it; 0 where nothing is lacking. Raises
    ValueError for an empty front, or a true front of one point, which has no extent.
    """
    if not found or len(true) < 2:
        raise ValueError(f"{len(found)} found and {len(true)} true points have no distance")
    cost_extent = max(one.cost for one in true) - min(one.cost for one in true)
    accuracy_extent = max(one.accuracy for one in true) - min(one.accuracy for one in true)
    return fmean(
        min(
            hypot(
                max(0.0, one.cost - goal.cost) / cost_extent, max(0.0, goal.accuracy - one.accuracy) / accuracy_extent
            )
            for one in found
        )
        for goal in true
    )


@dataclass(frozen=True, slots=True)
class Gain:
    """How much less a front costs at equal accuracy: cost of the other over its own, minus 1.

    mean, least, most: over the accuracies that both reach. levels: how many those are.
    """

    mean: float
    least: float
    most: float
    levels: int


def gain_at_equal_accuracy(own: Sequence[Trade], other: Sequence[Trade]) -> Gain | None:
    """Compare two fronts at every accuracy of either that both reach; None where their accuracies do not overlap.

    At a level each front costs what its cheapest point of at least that accuracy costs; nothing is interpolated. Levels
    below the lowest accuracy of one of the fronts are left out: it was not searched there.
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
    return Gain(fmean(gains), min(gains), max(gains), len(levels))


def _cheapest(front: Sequence[Trade], accuracy: float) -> float:
    return min(one.cost for one in front if one.accuracy >= accuracy)
