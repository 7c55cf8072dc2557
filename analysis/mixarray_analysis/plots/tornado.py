"""The tornado: how latency or energy of a run answers to each field of the configuration."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from mixarray.digits import significant
from mixarray_analysis.plots.frames.levers import DOWN, OTHER, UP
from mixarray_analysis.plots.frames.tornado import COLUMN_OF, NOTHING_PERCENT, changes_percent
from mixarray_analysis.plots.names import Cost
from mixarray_analysis.plots.style import BLACK, DEMO, OKABE_ITO, POINTS_PER_INCH, Size, open_axes, style

WORDS = {Cost.LATENCY: "latency", Cost.ENERGY: "energy"}
LOOKS = {
    DOWN: (OKABE_ITO[1], "//", "smaller"),
    UP: (OKABE_ITO[0], "", "larger"),
    OTHER: (OKABE_ITO[2], "..", "another choice"),
}
BAR_HEIGHT = 0.72
ROW_EMS = 2.2
FRAME_EMS = 10.0


def plot_tornado(
    shown: pd.DataFrame, cost: Cost = Cost.LATENCY, ax: Axes | None = None, size: Size = DEMO
) -> tuple[Figure, Axes]:
    """Levers of `changes_percent` by falling effect.

    What changes nothing has no row; the axis says how many there are.
    """
    changes = changes_percent(shown, cost)
    widest = changes.abs().max(axis=1).sort_values(ascending=False, kind="stable")
    levers = [str(lever) for lever, most in widest.items() if most >= NOTHING_PERCENT]
    with style(size):
        figure, ax = open_axes(ax, size, size.points / POINTS_PER_INCH * (ROW_EMS * max(1, len(levers)) + FRAME_EMS))
        for place, row in enumerate(changes.loc[levers, list(LOOKS)].to_numpy().tolist()):
            _draw_lever(ax, place, dict(zip(LOOKS, row, strict=True)))
        ax.axvline(0, color=BLACK, linewidth=0.8)
        ax.set_yticks(range(len(levers)), levers)
        ax.set_ylim(len(levers) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=False, axis="y")
        ax.grid(visible=True, axis="x")
        ax.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        ax.margins(x=0.3 if size.narrow else 0.2)
        base = shown[f"base_{COLUMN_OF[cost]}"].iloc[0]
        unit = {Cost.LATENCY: "ms", Cost.ENERGY: "µJ"}[cost]
        facts = f"{significant(base, 4)} {unit} as it is", f"{len(changes) - len(levers)} more change nothing"
        ax.set_xlabel("\n".join([f"change of {WORDS[cost]} (%)", ("\n" if size.narrow else "; ").join(facts)]))
        handles = [
            Patch(facecolor=fill, hatch=hatch, edgecolor="white", label=word) for fill, hatch, word in LOOKS.values()
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, title="value of the field")
    return figure, ax


def _draw_lever(ax: Axes, place: int, change_by: dict[str, float]) -> None:
    """Bars from 0; where smaller and larger point to one side, the larger value's bar stands below the other."""
    one_side = change_by[DOWN] * change_by[UP] > 0
    height = BAR_HEIGHT / 2 if one_side else BAR_HEIGHT
    for direction, change in change_by.items():
        if abs(change) < NOTHING_PERCENT:
            continue
        fill, hatch, _ = LOOKS[direction]
        centre = place + (height / 2 if direction == UP else -height / 2) * one_side
        ax.barh(centre, change, height, color=fill, hatch=hatch, edgecolor="white")
        ax.annotate(
            f"{change:+.1f}", (change, centre), (3 if change > 0 else -3, 0), textcoords="offset points", va="center",
            ha="left" if change > 0 else "right", fontsize="x-small",
        )  # fmt: skip
