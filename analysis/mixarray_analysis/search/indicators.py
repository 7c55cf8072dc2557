"""How good a front is as a number: by pymoo, so only where the `search` extra is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.indicators.hv import HV
from pymoo.indicators.igd_plus import IGDPlus

from mixarray_analysis.search.front import Trade


def hypervolume(points: Sequence[Trade], reference: Trade) -> float:
    """The area that points dominate, bounded by a reference point (Zitzler and Thiele 1999), by pymoo.

    0 where none is beyond it; ValueError for no points.
    """
    area: Any = HV(ref_point=_minimised([reference])[0])
    return float(area(_minimised(points)))


def igd_plus(found: Sequence[Trade], true: Sequence[Trade]) -> float:
    """Mean distance from the points of the true front to what of them a found front lacks (IGD+, Ishibuchi 2015).

    The true front's extent is 1 in both directions, so the number is a share of it; 0 where nothing is lacking. Raises
    ValueError for an empty front, or a true front of one point, which has no extent.
    """
    if not found or len(true) < 2:
        raise ValueError(f"{len(found)} found and {len(true)} true points have no distance")
    lack: Any = IGDPlus(_minimised(true), zero_to_one=True)
    return float(lack(_minimised(found)))


def _minimised(points: Sequence[Trade]) -> NDArray[np.float64]:
    """(points, 2): cost, and accuracy with its sign turned, as pymoo takes them."""
    return np.array([(one.cost, -one.accuracy) for one in points], dtype=np.float64)
