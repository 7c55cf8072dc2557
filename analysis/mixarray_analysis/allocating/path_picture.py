"""Pictures of paths: loss against simulated cycles, from the widest allocation to where each greedy ended."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from mixarray_analysis.allocating.results import Found
from mixarray_analysis.plots.style import DEMO, LINES, MARKERS, colour, figure_of, legend_below, open_figure, style

COLUMNS = ["accelerator", "objective", "step", "average_bits", "bops", "cycles", "energy_uj", "loss"]
MARKS = 8
"""Marks along a path."""
MOST_BESIDE = 3


def path_shown(*founds: Found) -> pd.DataFrame:
    """The numbers of a picture: every step of every path."""
    rows = [
        (found.settings.accelerator, found.settings.objective.value, row.step, row.average_bits, row.bops, row.cycles,
         row.energy_uj, row.loss)
        for found in founds
        for row in found.steps
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def plot_path(found: Found, ax: Axes | None = None) -> Figure:
    """One path, in the caller's axes where they are given."""
    if ax is not None:
        _draw(ax, [found])
        return figure_of(ax)
    return plot_paths([[found]])


def plot_paths(panels: Sequence[Sequence[Found]]) -> Figure:
    """A panel per accelerator, in it a path per objective."""
    columns = min(len(panels), MOST_BESIDE)
    rows = -(-len(panels) // columns)
    with style():
        figure = open_figure(DEMO.width_inches * max(1.0, 0.5 * columns), DEMO.height_inches * rows)
        every = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel().tolist()
        for ax, founds in zip(every, panels, strict=False):
            _draw(ax, founds)
        for ax in every[len(panels) :]:
            ax.set_visible(False)
        for ax in every[: len(panels) : columns]:
            ax.set_ylabel(_loss_label(panels[0][0]))
        legend_below(figure, DEMO, every[0], own=True)
    return figure


def _draw(ax: Axes, founds: Sequence[Found]) -> None:
    for number, found in enumerate(founds):
        cycles, losses = [row.cycles for row in found.steps], [row.loss for row in found.steps]
        ax.plot(
            cycles,
            losses,
            color=colour(number),
            linestyle=LINES[number % len(LINES)],
            marker=MARKERS[number % len(MARKERS)],
            markevery=max(1, len(losses) // MARKS),
            label=f"greedy by {found.settings.objective.value}",
        )
    ax.set_yscale("log")
    ax.set_title(founds[0].settings.accelerator)
    ax.set_xlabel(f"simulated cycles, {founds[0].settings.input_px} px")
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.grid(axis="x")


def _loss_label(found: Found) -> str:
    return f"loss ({found.settings.loss.value}), n = {found.settings.canvases} canvases"
