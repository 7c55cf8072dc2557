"""Heat maps with the number in each cell: layers x units of a run, and array shapes of a sweep."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixarray_analysis.plots.style import DEMO, POINTS_PER_INCH, Size, open_axes, style

COLOURS = "cividis"
"""Reads alike with and without red-green blindness (Nunez et al. 2018), and in grey print."""
ROW_EMS = 1.7
FRAME_EMS = 6.0
"""Of the text: a row, and what is above and below the rows."""
EMPTY = "empty: no point of that shape"
DARK_BELOW = 50
"""Cells below so many per cent are dark."""


def plot_busy(shown: pd.DataFrame, ax: Axes | None = None, size: Size = DEMO) -> tuple[Figure, Axes]:
    """Layers downwards, units across: share of the time a layer adds that its jobs occupy a unit (`busy_frame`)."""
    percent = 100 * shown.pivot(index="layer", columns="unit", values="busy_share")
    percent = percent.loc[list(dict.fromkeys(shown["layer"])), list(dict.fromkeys(shown["unit"]))]
    label = "busy (% of the cycles added)"
    return _plot(percent, "", "", label, ax, size)


def plot_shapes(shown: pd.DataFrame, ax: Axes | None = None, size: Size = DEMO) -> tuple[Figure, Axes]:
    """Rows downwards, columns across: mean utilization of the points of each array shape (`shapes_frame`).

    A shape that has no point is an empty cell; the axis says so where there is one.
    """
    percent = 100 * shown.pivot(index="rows", columns="columns", values="utilization")
    empty = f"\n{EMPTY}" if percent.isna().any(axis=None) else ""
    label = _mean(shown["points"], "\n" if size.narrow else " ")
    title = str(shown["accelerator"].iloc[0])
    return _plot(percent, "array rows", f"array columns{empty}", label, ax, size, title)


def _mean(points: pd.Series[int], gap: str) -> str:
    """What the number of a cell is, by the points behind each."""
    least, most = int(points.min()), int(points.max())
    if most == 1:
        return "utilization (%)"
    return f"mean utilization{gap}of {least if least == most else f'{least} to {most}'} points (%)"


def _plot(
    percent: pd.DataFrame, down: str, across: str, label: str, ax: Axes | None, size: Size, title: str = ""
) -> tuple[Figure, Axes]:
    with style(size):
        ems = size.points / POINTS_PER_INCH
        height = max(0.7 * size.height_inches, ems * (ROW_EMS * len(percent) + FRAME_EMS))
        figure, ax = open_axes(ax, size, height)
        image = ax.imshow(percent.to_numpy(), cmap=COLOURS, vmin=0, vmax=100, aspect="auto")
        for row, values in enumerate(percent.to_numpy()):
            for column, value in enumerate(values):
                if not np.isnan(value):  # a shape that was not swept has no number
                    dark = value < DARK_BELOW
                    ax.text(
                        column, row, f"{value:.1f}", ha="center", va="center", fontsize="small",
                        color="white" if dark else "black",
                    )  # fmt: skip
        ax.set_xticks(range(percent.shape[1]), [str(name) for name in percent.columns])
        ax.set_yticks(range(percent.shape[0]), [str(name) for name in percent.index])
        ax.set_xlabel(across)
        ax.set_ylabel(down)
        ax.set_title(title, loc="left")
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
        figure.colorbar(image, ax=ax, label=label, fraction=0.05, pad=0.02)
    return figure, ax
