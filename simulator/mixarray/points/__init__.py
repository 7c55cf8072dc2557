"""Many points of one network: totals put together from what equal parts have in common."""

from mixarray.points.simulator import Network, PointSimulator, PointTotals

__all__ = ["Network", "PointSimulator", "PointTotals"]
