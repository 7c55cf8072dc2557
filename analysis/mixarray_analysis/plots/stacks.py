"""Stacked bars lying on their sides: one per run below the name of its accelerator, for latency and energy alike."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixarray.digits import significant
from mixarray_analysis.plots.style import (
    LEGEND_EMS,
    POINTS_PER_INCH,
    Look,
    Size,
    finer,
    legend_below,
    open_axes,
    style,
)

BAR_HEIGHT = 0.78
BAND_PLACE, SUM_PLACE = 0.26, -0.1
"""Where the band of a sum and its number stand, in rows from the middle of the bar."""
ROW_EMS = 2.0
"""Height of a row in sizes of the text."""
FRAME_EMS = 6.5
"""What axis and label take."""


def plot_stacks(
    shown: pd.DataFrame,
    part: str,
    value: str,
    look: Callable[[str], Look],
    label: str,
    names: str,
    ends: tuple[str, str] | None,
    ax: Axes | None,
    size: Size,
) -> tuple[Figure, Axes]:
    """Bars of `value` by `part`, with the sum behind each; `shown` has accelerator, run, part and value.

    look: of a part, in every picture the same. label, names: of the values, and of the runs. ends: columns whose sums
    are the low and the high end of a bar. Rows stand in the order of the frame.
    """
    rows = _rows(shown)
    parts = list(dict.fromkeys(shown[part]))
    places = {bar: place for place, bar in enumerate(rows) if bar[1] is not None}
    summed = shown.groupby(["accelerator", "run", part], sort=False)[value].sum()
    with style(size):
        ems = size.points / POINTS_PER_INCH
        own = ax is None
        figure, ax = open_axes(ax, size, ems * (ROW_EMS * len(rows) + FRAME_EMS + LEGEND_EMS * bool(names)))
        lefts = dict.fromkeys(places, 0.0)
        for name in parts:
            shade, pattern = look(name)
            widths = [float(summed.get((*bar, name), 0.0)) for bar in places]
            ax.barh(
                list(places.values()), widths, BAR_HEIGHT, left=list(lefts.values()), label=name, color=shade,
                hatch=finer(pattern, size), edgecolor="white",
            )  # fmt: skip
            lefts = {bar: left + width for (bar, left), width in zip(lefts.items(), widths, strict=True)}
        _write_sums(ax, shown, places, lefts, ends)
        ax.set_yticks(range(len(rows)), [accelerator if run is None else run for accelerator, run in rows])
        for tick, (_, run) in zip(ax.get_yticklabels(), rows, strict=True):
            tick.set_fontweight("bold" if run is None else "normal")
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.grid(visible=False, axis="y")
        ax.grid(visible=True, axis="x")
        ax.xaxis.set_major_formatter("{x:,.10g}")
        ax.set_xlabel(f"{label}\nrows: {names}" if names else label)
        legend_below(figure, size, ax, own)
    return figure, ax


def _rows(shown: pd.DataFrame) -> list[tuple[str, str | None]]:
    """Accelerators as headings (run None), each with its runs below it."""
    rows: list[tuple[str, str | None]] = []
    for accelerator, part in shown.groupby("accelerator", sort=False):
        rows.append((str(accelerator), None))
        rows += [(str(accelerator), run) for run in dict.fromkeys(part["run"])]
    return rows


def _write_sums(
    ax: Axes,
    shown: pd.DataFrame,
    places: dict[tuple[str, str | None], int],
    sums: dict[tuple[str, str | None], float],
    ends: tuple[str, str] | None,
) -> None:
    """The sum of a bar behind it; above its band, where it has one."""
    widest = max(sums.values())
    if ends is not None:
        bands = shown.groupby(["accelerator", "run"], sort=False)[list(ends)].sum()
        for (bar, place), (low, high) in zip(places.items(), bands.to_numpy().tolist(), strict=True):
            errors = [[sums[bar] - low], [high - sums[bar]]]
            ax.errorbar(sums[bar], place + BAND_PLACE, xerr=errors, color="black", capsize=2, elinewidth=1)
            widest = max(widest, high)
    for bar, place in places.items():
        under = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}
        middle = place if ends is None else place + SUM_PLACE
        ax.annotate(
            significant(sums[bar], 4),
            (sums[bar], middle),
            (3, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            bbox=under,
        )
    ax.set_xlim(0, 1.14 * widest)
