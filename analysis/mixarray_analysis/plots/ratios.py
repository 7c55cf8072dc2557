"""Speedup against the share of low windows: a curve per accelerator, and the line that BOPs promise."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixarray_analysis.plots.frames.ratios import PROMISED
from mixarray_analysis.plots.style import (
    BLACK,
    DEMO,
    GREY,
    LINES,
    MARKERS,
    Size,
    colour,
    legend_above,
    open_axes,
    style,
)


def plot_ratios(shown: pd.DataFrame, ax: Axes | None = None, size: Size = DEMO) -> tuple[Figure, Axes]:
    """Lines through the ratios that are the same in every block pair, points for others, of `ratios_frame`."""
    names = [name for name in dict.fromkeys(shown["series"]) if name != PROMISED]
    with style(size):
        own = ax is None
        figure, ax = open_axes(ax, size)
        _draw(ax, shown[shown["series"] == PROMISED], "promised: BOPs of the blocks", GREY, "-", "")
        for index, name in enumerate(names):
            look = colour(index), LINES[index % len(LINES)], MARKERS[index % len(MARKERS)]
            _draw(ax, shown[shown["series"] == name], f"simulated: {name}", *look)
        ax.axhline(1, color=BLACK, linewidth=0.8)
        ax.grid(axis="x")
        ax.set_xlabel("windows at low bits that ran (%)")
        ax.set_ylabel("speedup over ratio 0 (x)")
        legend_above(figure, size, ax, own)
    return figure, ax


def _draw(ax: Axes, shown: pd.DataFrame, label: str, shade: str, line: str, marker: str) -> None:
    """A line per network and pruned share where ratios are whole, with one entry in the legend."""
    whole = shown["setting"].map(_is_whole) & (shown["pruned_percent"] == 0)
    for _, part in shown[whole].groupby("network", sort=False):
        ax.plot(part["low_percent"], part["speedup"], line, color=shade, marker=marker, label=label)
        label = "_more"
    others = shown[~whole]
    if len(others):
        ax.plot(
            others["low_percent"], others["speedup"], marker or ".", color=shade, label=label, linestyle="",
            markersize=3, alpha=0.6, rasterized=len(others) > 2000,
        )  # fmt: skip


def _is_whole(setting: str) -> bool:
    """Whether a setting is one ratio for all block pairs."""
    return not set(setting) & set("/, ")
