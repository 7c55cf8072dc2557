"""Accuracy against latency: one line per accelerator, one colour per ratio, bootstrap intervals."""

from __future__ import annotations

from typing import Literal

import matplotlib
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mixarray_analysis.plots.settings import columns_of, labels_of, with_labels
from mixarray_analysis.plots.style import GREY, open_axes, style

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
Line = Literal["-", "--", ":", "-."]
LINES: tuple[Line, ...] = ("-", "--", ":", "-.")
Shade = tuple[float, float, float, float]
SHOWN = ["latency_ms", "accuracy", "accuracy_low", "accuracy_high", "n"]


def accuracy_shown(summary: pd.DataFrame) -> pd.DataFrame:
    """The numbers of the plot, rows without an accuracy left out."""
    columns = ["accelerator", *columns_of(summary), *SHOWN]
    return summary.loc[summary["accuracy"].notna(), columns].reset_index(drop=True)


def plot_accuracy(summary: pd.DataFrame, ax: Axes | None = None) -> tuple[Figure, Axes]:
    """Points with intervals; `summary` has accelerator, ratio and the columns of SHOWN.

    Text labels would collide, so settings are colours.
    """
    shown = with_labels(accuracy_shown(summary))
    settings = labels_of(shown)
    # viridis without its pale end: readable in grey and by colour-blind readers
    shades = {
        name: matplotlib.colormaps["viridis"](0.9 * i / max(1, len(settings) - 1)) for i, name in enumerate(settings)
    }
    names = list(dict.fromkeys(shown["accelerator"]))
    with style():
        figure, ax = open_axes(ax)
        for index, name in enumerate(names):
            part = shown[shown["accelerator"] == name].sort_values("label")
            ax.plot(part["latency_ms"], part["accuracy"], LINES[index % len(LINES)], color=GREY, linewidth=1, zorder=1)
            for row in part.itertuples():
                errors = [[row.accuracy - row.accuracy_low], [row.accuracy_high - row.accuracy]]
                ax.errorbar(
                    row.latency_ms,
                    row.accuracy,
                    yerr=errors,
                    fmt=MARKERS[index % len(MARKERS)],
                    color=shades[row.label],
                    capsize=2,
                    linewidth=1,
                    markersize=6,
                )
        ax.grid(axis="x")
        ax.set_xlabel("simulated latency per image, batch 1 (ms)")
        counts = sorted(shown["n"].unique())
        ax.set_ylabel(f"AP50, n = {'/'.join(str(int(n)) for n in counts)} canvases, 95 % interval")
        figure.legend(handles=_handles(names, shades), loc="outside right upper", fontsize=8)
    return figure, ax


def _handles(names: list[str], shades: dict[str, Shade]) -> list[Artist]:
    shapes: list[Artist] = [
        Line2D([], [], color=GREY, marker=MARKERS[i % len(MARKERS)], linestyle=LINES[i % len(LINES)], label=name)
        for i, name in enumerate(names)
    ]
    dots: list[Artist] = [
        Line2D([], [], color=shade, marker="o", linestyle="", label=f"{setting} % low windows")
        for setting, shade in shades.items()
    ]
    return shapes + dots
