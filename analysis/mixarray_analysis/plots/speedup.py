"""Speedup bars: what BOPs promise beside what each accelerator delivers, a panel per uniform precision."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from mixarray_analysis.plots.frames.speedup import COUNTED, MEAN, PROMISED
from mixarray_analysis.plots.settings import AXIS_LABEL
from mixarray_analysis.plots.style import (
    BLACK,
    DEMO,
    GREY,
    POINTS_PER_INCH,
    Size,
    colour,
    figure_of,
    hatch,
    legend_above,
    open_figure,
    style,
)

PROMISES = {PROMISED: "promised: BOPs of the blocks", COUNTED: "promised: BOPs, weight bits counted"}
GROUP = 0.84
"""Share of a group's room that its bars take."""
GAP = 0.4
"""Between the settings and their mean, in groups."""
UPRIGHT_EMS, BARE_EMS = 3.0, 0.7
"""Of the text: bars narrower than these have their numbers turned, or none."""
PANEL_INCHES = {False: 1.5, True: 1.3}
FRAME_INCHES = {False: 1.1, True: 0.7}
"""By whether the picture is narrow."""


def plot_speedup(
    shown: pd.DataFrame, ax: Sequence[Axes] | None = None, size: Size = DEMO
) -> tuple[Figure, Sequence[Axes]]:
    """Panels below each other, one per baseline of `speedup_frame`; `ax` gives as many axes, top to bottom.

    Bars carry their numbers where those have room; of bars below the line at 1 they stand above it.
    """
    baselines = list(dict.fromkeys(shown["baseline"]))
    series, labels = (list(dict.fromkeys(shown[name])) for name in ("series", "label"))
    with style(size):
        figure, axes = _open(len(baselines), ax, size)
        for panel, baseline in zip(axes, baselines, strict=True):
            _panel(panel, shown[shown["baseline"] == baseline], series, labels, size)
            panel.set_title(f"over {baseline}", loc="left")
        means = [f"{MEAN}: geometric, of all but 0"] if MEAN in labels else []
        axes[-1].set_xlabel((",\n" if size.narrow else "; ").join([AXIS_LABEL, *means]))
        legend_above(figure, size, axes[0], ax is None)
    return figure, axes


def _open(count: int, ax: Sequence[Axes] | None, size: Size) -> tuple[Figure, Sequence[Axes]]:
    if ax is not None:
        if len(ax) != count:
            raise ValueError(f"{count} baselines need {count} axes, not {len(ax)}")
        return figure_of(ax[0]), ax
    height = max(size.height_inches, FRAME_INCHES[size.narrow] + PANEL_INCHES[size.narrow] * count)
    figure = open_figure(size.width_inches, height)
    return figure, list(figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0])


def _panel(ax: Axes, shown: pd.DataFrame, series: Sequence[str], labels: Sequence[str], size: Size) -> None:
    places = {label: place + GAP * (label == MEAN) for place, label in enumerate(labels)}
    width = GROUP / len(series)
    bar_ems = width * size.width_inches / (len(labels) + GAP) * POINTS_PER_INCH / size.points
    numbered, upright = bar_ems > BARE_EMS, bar_ems < UPRIGHT_EMS
    for index, name in enumerate(series):
        part = shown[shown["series"] == name]
        bars = ax.bar(
            [places[label] + (index - (len(series) - 1) / 2) * width for label in part["label"]],
            part["speedup"],
            width,
            label=PROMISES.get(name, f"simulated: {name}"),
            color=GREY if name in PROMISES else colour(index - 1),
            hatch=hatch(index, size),
            edgecolor="white",
        )
        if numbered:
            _number(ax, bars, upright)
    ax.axhline(1, color=BLACK, linewidth=0.8, zorder=1.5)
    ax.set_xticks(list(places.values()), labels)
    if sum(map(len, labels)) * size.points / POINTS_PER_INCH > size.width_inches:
        ax.tick_params(axis="x", rotation=30)
    ax.set_ylabel("speedup (x)")
    ax.set_ylim(0, (1.4 if numbered and upright else 1.12) * max(1.0, float(shown["speedup"].max())))


def _number(ax: Axes, bars: BarContainer, upright: bool) -> None:
    """The height of each bar above it and above the line at 1, which no number may break."""
    under = {"facecolor": "white", "edgecolor": "none", "pad": 0.2}
    for bar in bars:
        ax.annotate(
            f"{bar.get_height():.2f}", (bar.get_x() + bar.get_width() / 2, max(1.0, bar.get_height())), (0, 2.5),
            textcoords="offset points", ha="center", va="bottom", rotation=90 * upright, fontsize="x-small", bbox=under,
        )  # fmt: skip
