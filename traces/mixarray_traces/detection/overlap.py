"""How much of two boxes lies in both; boxes are x0 y0 x1 y1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def pairwise_iou(first: Floats, second: Floats) -> Floats:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4), x0 y0 x1 y1."""
    shared = _shared_area(first, second)
    return _ratio(shared, _area(first)[:, None] + _area(second)[None, :] - shared)


def share_inside(first: Floats, second: Floats) -> Floats:
    """Share (n, m) of each box of (n, 4) that lies in each of (m, 4), x0 y0 x1 y1."""
    shared = _shared_area(first, second)
    return _ratio(shared, np.broadcast_to(_area(first)[:, None], shared.shape))


def _area(boxes: Floats) -> Floats:
    area: Floats = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return area


def _shared_area(first: Floats, second: Floats) -> Floats:
    sides = np.minimum(first[:, None, 2:], second[None, :, 2:]) - np.maximum(first[:, None, :2], second[None, :, :2])
    area: Floats = np.clip(sides, 0, None).prod(axis=2)
    return area


def _ratio(part: Floats, whole: Floats) -> Floats:
    """0 where the whole is nothing."""
    ratio: Floats = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return ratio
