"""The roofline: operations per DRAM byte against operations per second, under the roofs of the accelerator."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from mixarray_analysis.plots.frames.roofline import GEMM, ROOF, WHOLE
from mixarray_analysis.plots.style import BLACK, DEMO, LINES, MARKERS, Size, colour, legend_below, open_axes, style

ROOM = 2.0
"""Beyond the outermost points, as a factor."""


def plot_roofline(shown: pd.DataFrame, ax: Axes | None = None, size: Size = DEMO) -> tuple[Figure, Axes]:
    """Points of `roofline_frame` by mode; GEMMs that move nothing to or from DRAM stand on the right edge, hollow."""
    roofs = shown[shown["what"] == ROOF]
    points = shown[shown["what"] != ROOF]
    placed = pd.concat([points["operations_per_byte"], roofs["operations_per_byte"]]).dropna()
    left, right = float(placed.min()) / ROOM, float(placed.max()) * ROOM
    with style(size):
        own = ax is None
        figure, ax = open_axes(ax, size)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
        _draw_roofs(ax, roofs, left, right)
        gemms = points[points["what"] == GEMM]
        for index, (mode, part) in enumerate(gemms.groupby("mode", sort=False)):
            shade, marker = colour(index), MARKERS[index % len(MARKERS)]
            inside = part[part["operations_per_byte"].notna()]
            label = f"GEMMs {mode} ({len(part)})"
            ax.plot(
                inside["operations_per_byte"], inside["tops"], marker, color=shade, label=label, linestyle="", alpha=0.7
            )
            still = part[part["operations_per_byte"].isna()]
            if len(still):  # half of each mark lies beyond the axes, and the layout leaves room for it
                edge = [right] * len(still)
                ax.plot(edge, still["tops"], marker, color=shade, linestyle="", fillstyle="none", clip_on=False)
        whole = points[points["what"] == WHOLE]
        ax.plot(
            whole["operations_per_byte"], whole["tops"], "*", color=BLACK, markersize=1.3 * size.points,
            label="whole run", linestyle="",
        )  # fmt: skip
        ax.set_xlim(left, right)
        ax.grid(axis="x")
        without = "\nhollow marks on the right edge: no traffic" if gemms["operations_per_byte"].isna().any() else ""
        ax.set_xlabel(f"operations (2 per MAC) per byte of DRAM traffic{without}")
        ax.set_ylabel("attained TOPS")
        legend_below(figure, size, ax, own)
    return figure, ax


def _draw_roofs(ax: Axes, roofs: pd.DataFrame, left: float, right: float) -> None:
    """Peaks of equal height share a line; bandwidth slopes up to the highest ridge."""
    top = roofs.iloc[0]
    slope = float(top["tops"]) / float(top["operations_per_byte"])
    ridge = float(top["operations_per_byte"])
    ax.plot([left, ridge], [slope * left, slope * ridge], color=BLACK, label=f"DRAM: {1000 * slope:,.4g} GB/s")
    for index, (peak, part) in enumerate(roofs.groupby("tops", sort=False)):
        tops = float(part["tops"].iloc[0])
        start = tops / slope
        label = f"peak {', '.join(part['mode'])}: {peak:,.4g} TOPS"
        line = LINES[(index + 1) % len(LINES)]
        ax.plot([start, max(right, start)], [tops, tops], line, color=BLACK, label=label)
