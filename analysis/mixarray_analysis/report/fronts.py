"""Which points of a large sweep a page shows: every trade-off worth a look, and an even draw of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import combinations

import numpy as np
from numpy.typing import NDArray


class Better(StrEnum):
    """Which end of a column is the good one."""

    LOW = "low"
    HIGH = "high"


OBJECTIVES: Mapping[str, Better] = {
    "latency_ms": Better.LOW,
    "energy_uj": Better.LOW,
    "edp_uj_ms": Better.LOW,
    "area_mm2": Better.LOW,
    "bops": Better.LOW,
    "accuracy": Better.HIGH,
    "bops_speedup": Better.HIGH,
    "simulated_speedup": Better.HIGH,
    "utilization": Better.HIGH,
    "peak_mac_utilization": Better.HIGH,
}
"""Columns of sweeps that a point can be good in."""

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


def costs_of(values: Floats, better: Better) -> Floats:
    """The values turned so that less is better."""
    return values if better is Better.LOW else -values


def front(first: Floats, second: Floats) -> Numbers:
    """Numbers of the points that no other beats in two costs, by rising first cost; of equal points one.

    A point that lacks a cost (NaN) is on no front.
    """
    known = np.flatnonzero(~(np.isnan(first) | np.isnan(second)))
    order = known[np.lexsort((second[known], first[known]))]
    before = np.minimum.accumulate(np.append(np.inf, second[order]))[:-1]
    return order[second[order] < before]


def chosen_points(costs: Mapping[str, Floats], count: int, most: int) -> Numbers:
    """At most `most` of `count` points, in order: the front of every pair of costs, and evenly spread others.

    Raises ValueError where the fronts alone are more than that.
    """
    if count <= most:
        return np.arange(count)
    fronts = [front(costs[one], costs[other]) for one, other in combinations(costs, 2)]
    kept = np.unique(np.concatenate(fronts)) if fronts else np.arange(0)
    if len(kept) > most:
        raise ValueError(f"the fronts hold {len(kept)} points, and {most} are shown")
    rest = np.setdiff1d(np.arange(count), kept)
    spread = np.linspace(0, len(rest) - 1, most - len(kept)).astype(np.int64)
    return np.union1d(kept, rest[spread])
