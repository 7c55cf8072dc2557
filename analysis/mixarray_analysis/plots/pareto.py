"""Accuracy against what it costs: a panel each for bit operations, simulated latency and energy."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mixarray_analysis.plots.frames.pareto import COLUMN_OF
from mixarray_analysis.plots.names import Cost
from mixarray_analysis.plots.style import (
    DEMO,
    GREY,
    LINES,
    MARKERS,
    Line,
    Size,
    add_legend,
    figure_of,
    open_figure,
    style,
)

LABELS = {
    Cost.BOPS: "bit operations over ratio 0 (x)",
    Cost.LATENCY: "simulated latency (ms)",
    Cost.ENERGY: "energy (µJ)",
}
"""Latency and energy are per image at batch 1."""
Look = tuple[str, Line]
"""A marker and a line."""
BEATEN = "beaten on the same accelerator"
SHARED = "P"
"""Marker of bit operations, which are the same on every accelerator."""
PANEL_INCHES = {False: 3.8, True: 1.75}
FRAME_INCHES = {False: 0.7, True: 0.6}
"""By whether the picture is narrow."""


def plot_pareto(
    shown: pd.DataFrame, costs: Sequence[Cost] = tuple(Cost), ax: Sequence[Axes] | None = None, size: Size = DEMO
) -> tuple[Figure, Sequence[Axes]]:
    """Points of `pareto_frame` with their intervals, full where no other of their series beats them, joined by steps.

    The colour is the share of low windows. Bit operations are the same on every accelerator. `ax` gives as many axes
    as there are costs.
    """
    names = list(dict.fromkeys(shown["series"]))
    # viridis without its pale end: readable in grey and by colour-blind readers
    shades = ListedColormap(matplotlib.colormaps["viridis"]([0.9 * step / 255 for step in range(256)]))
    scale = Normalize(0, max(1.0, 100 * float(shown["ratio"].max())))
    looks: list[Look] = [(MARKERS[i % len(MARKERS)], LINES[i % len(LINES)]) for i in range(len(names))]
    shared = Cost.BOPS in costs and len(names) > 1
    with style(size):
        figure, axes = _open(len(costs), ax, size)
        for panel, cost in zip(axes, costs, strict=True):
            if cost is Cost.BOPS and shared:
                same = shown.drop_duplicates([COLUMN_OF[cost], "accuracy"])
                _draw(panel, same, cost, (SHARED, "-"), shades, scale)
            else:
                for look, name in zip(looks, names, strict=True):
                    _draw(panel, shown[shown["series"] == name], cost, look, shades, scale)
            panel.set_xlabel(LABELS[cost])
            panel.grid(axis="x")
        counts = "/".join(str(int(n)) for n in sorted(shown["n"].unique()))
        side = "\n" if size.narrow else " "
        axes[len(axes) // 2 if size.narrow else 0].set_ylabel(f"AP50, n = {counts} canvases,{side}95 % interval")
        figure.colorbar(
            ScalarMappable(scale, shades),
            ax=list(axes),
            label="windows at low bits (%)",
            fraction=0.04,
            pad=0.01,
            aspect=60 if size.narrow else 20,
        )
        handles = _handles(names, looks, shared)
        add_legend(figure, handles, [str(one.get_label()) for one in handles], size, "outside lower center", ax is None)
    return figure, axes


def _open(count: int, ax: Sequence[Axes] | None, size: Size) -> tuple[Figure, Sequence[Axes]]:
    if ax is not None:
        if len(ax) != count:
            raise ValueError(f"{count} costs need {count} axes, not {len(ax)}")
        return figure_of(ax[0]), ax
    rows, columns = (count, 1) if size.narrow else (1, count)
    figure = open_figure(size.width_inches, FRAME_INCHES[size.narrow] + PANEL_INCHES[size.narrow] * rows)
    return figure, list(figure.subplots(rows, columns, sharey=True, squeeze=False).ravel())


def _draw(ax: Axes, shown: pd.DataFrame, cost: Cost, look: Look, shades: Colormap, scale: Normalize) -> None:
    column, (marker, line) = COLUMN_OF[cost], look
    best = shown[shown[f"on_front_{cost}"]].sort_values(column)
    ax.step(best[column], best["accuracy"], line, where="post", color=GREY, linewidth=1, zorder=1)
    for row in shown.to_dict("records"):
        accuracy, shade = row["accuracy"], shades(scale(100 * row["ratio"]))
        # a bootstrap interval of few canvases need not hold the accuracy that it is of
        errors = [[max(accuracy - row["accuracy_low"], 0.0)], [max(row["accuracy_high"] - accuracy, 0.0)]]
        ax.errorbar(
            row[column], accuracy, yerr=errors, fmt=marker, color=shade, capsize=2, elinewidth=0.8,
            markerfacecolor=shade if row[f"on_front_{cost}"] else "white",
        )  # fmt: skip


def _handles(names: list[str], looks: Sequence[Look], shared: bool) -> list[Line2D]:
    every = list(zip(names, looks, strict=True))
    if shared:
        every.append(("on every accelerator", (SHARED, "-")))
    shapes = [Line2D([], [], color=GREY, marker=marker, linestyle=line, label=name) for name, (marker, line) in every]
    beaten = Line2D([], [], color=GREY, marker="o", markerfacecolor="white", linestyle="", label=BEATEN)
    return [*shapes, beaten]
