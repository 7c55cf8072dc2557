"""The waterfall: from the speedup that BOPs promise to the simulated one, step by step; one panel per accelerator."""

from __future__ import annotations

from textwrap import wrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mixarray_analysis.plots.style import BLACK, DEMO, GREY, OKABE_ITO, POINTS_PER_INCH, Size, open_axes, style

LOSS, GAIN, ARRIVED = OKABE_ITO[5], OKABE_ITO[2], OKABE_ITO[0]
PANEL_EMS = 21.0
FRAME_EMS = 5.0
"""Of the text: a panel's height, and what is below the panels."""
MOST_BESIDE = 2
MOST_TICKS = 8
CHARACTERS_PER_EM = 1.8
BAR_HEIGHT = 0.62
MARGIN = 0.12
"""Room for numbers on the right, as a share of the axis."""
AXIS_LABEL = "speedup (x), one effect of the machine after the other; lines: the same step in the reverse order"


def plot_waterfall(shown: pd.DataFrame, ax: Axes | None = None, size: Size = DEMO) -> tuple[Figure, list[Axes]]:
    """Panels on one scale, side by side or below each other; `shown` has the columns of waterfall.csv.

    `ax` serves for one accelerator.
    """
    names = list(dict.fromkeys(shown["accelerator"]))
    if ax is not None and len(names) > 1:
        raise ValueError(f"{len(names)} accelerators do not fit one panel")
    beside = len(names) <= MOST_BESIDE and not size.narrow
    rows, columns = (1, len(names)) if beside else (len(names), 1)
    with style(size):
        ems = size.points / POINTS_PER_INCH
        figure, first = open_axes(ax, size, ems * (PANEL_EMS * rows + FRAME_EMS))
        axes = [first]
        if ax is None:
            first.remove()
            axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel())
        for panel, name in zip(axes, names, strict=True):
            _panel(panel, shown[shown["accelerator"] == name])
            panel.set_title(name)
        low, high = _limits(shown)
        axes[0].set_xlim(low - 0.04 * (high - low), high + MARGIN * (1 + columns) * (high - low))
        figure.supxlabel(
            "\n".join(wrap(AXIS_LABEL, int(size.width_inches / ems * CHARACTERS_PER_EM))), fontsize="small"
        )
    return figure, axes


def _limits(shown: pd.DataFrame) -> tuple[float, float]:
    """The least and the largest speedup that is drawn, 1 among them."""
    starts = shown.groupby("accelerator", sort=False)["speedup"].shift()
    drawn = pd.concat([shown["speedup"], starts + shown["bar_reverse"]]).dropna()
    return min(1.0, float(drawn.min())), max(1.0, float(drawn.max()))


def _panel(ax: Axes, shown: pd.DataFrame) -> None:
    """One accelerator: promised on top, one floating bar per step, simulated at the bottom."""
    speedups, bars, reverse = (shown[name].astype(float).tolist() for name in ("speedup", "bar", "bar_reverse"))
    last = len(speedups)
    for place, value, fill in ((0, speedups[0], GREY), (last, speedups[-1], ARRIVED)):
        ax.barh(place, value - 1, BAR_HEIGHT, left=1, color=fill)
        _number(ax, max(value, 1), place, f"{value:.3f}", "small")
    for place in range(1, last):
        start, bar, back = speedups[place - 1], bars[place], reverse[place]
        fill, hatch = (LOSS, "") if bar < 0 else (GAIN, "//")
        ax.barh(place, bar, BAR_HEIGHT, left=start, color=fill, hatch=hatch, edgecolor="white", linewidth=0)
        ax.plot([start, start + back], [place, place], color=BLACK, linewidth=1, marker="|", markevery=[1])
        _number(ax, max(start, start + bar, start + back), place, f"{round(bar, 3) + 0.0:+.3f}", "x-small")
    for place, value in enumerate(speedups):
        ends = place - BAR_HEIGHT / 2, place + 1 + BAR_HEIGHT / 2
        ax.plot([value, value], ends, color=GREY, linewidth=0.6, zorder=0)
    ax.axvline(1, color=BLACK, linewidth=0.8)
    labels = [f"{step}  {name}" for step, name in zip(shown["step"], shown["name"], strict=True)]
    ax.set_yticks(range(last + 1), [*labels, "simulated"])
    ax.set_ylim(last + 0.6, -0.6)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=MOST_TICKS, steps=[1, 2, 5, 10]))
    ax.grid(visible=False)
    ax.grid(visible=True, axis="x")


def _number(ax: Axes, speedup: float, place: int, text: str, size: str) -> None:
    """A number right of a bar, readable across lines."""
    under = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    ax.annotate(
        text, (speedup, place), (4, 0), textcoords="offset points", va="center", fontsize=size, bbox=under, zorder=3
    )
