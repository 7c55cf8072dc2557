"""The picture of a comparison: a panel per accelerator, fronts searched on BOPs and on what the accelerator does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mixarray_analysis.plots.style import BLACK, HEIGHT_INCHES, WIDTH_INCHES, colour, style
from mixarray_analysis.search.compare import Case, Panel, mean_and_range
from mixarray_analysis.search.front import Trade, front_of
from mixarray_analysis.search.hardware import Objective
from mixarray_analysis.search.results import FrontRow

WORDS = {Objective.CYCLES: "cycles", Objective.ENERGY: "energy", Objective.EDP: "energy x delay"}
BOPS = "BOPs"


@dataclass(frozen=True, slots=True)
class Look:
    """How a front is drawn; what lies on the same place in both fronts shows both marks."""

    shade: str
    marker: Literal["o", "s"]
    size: float
    fill: Literal["full", "none"]


OWN, OTHER = Look(colour(0), "o", 3.0, "full"), Look(colour(5), "s", 6.0, "none")
MOST_PANELS_BESIDE = 2
COLUMNS = [
    "accelerator", "objective", "seed", "searched_on", "compression", "pruning", "relative_cost", "accuracy",
    "accuracy_low", "accuracy_high", "n", "on_front",
]  # fmt: skip


def fronts_shown(panels: Sequence[Panel]) -> pd.DataFrame:
    """The numbers of the picture: every setting of both fronts of every seed, and ratio 0 (`searched_on` empty)."""
    rows: list[tuple[object, ...]] = []
    for panel in panels:
        for one in panel.seeds:
            case = one.case
            rows += _rows(case, BOPS, case.other, case.other_rows)
            rows += _rows(case, WORDS[panel.objective], case.own, case.own_rows)
        last = panel.seeds[0].case
        rows += _rows(last, "", (Trade(1.0, last.baseline.accuracy),), (last.baseline,))
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(case: Case, searched_on: str, trades: Sequence[Trade], rows: Sequence[FrontRow]) -> list[tuple[object, ...]]:
    best = set(front_of(trades))
    place = case.accelerator, case.objective.value, case.seed, searched_on
    return [
        (*place, row.compression, row.pruning, trade.cost, row.accuracy, row.accuracy_low, row.accuracy_high, row.n,
         trade in best)
        for trade, row in zip(trades, rows, strict=True)
    ]  # fmt: skip


def plot_fronts(panels: Sequence[Panel]) -> Figure:
    """Accuracy on canvases that no search saw, against cost relative to ratio 0."""
    columns = min(len(panels), MOST_PANELS_BESIDE)
    rows = -(-len(panels) // columns)
    with style():
        figure = Figure(figsize=(WIDTH_INCHES * max(1, 0.75 * columns), HEIGHT_INCHES * rows), layout="constrained")
        FigureCanvasAgg(figure)
        every = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel().tolist()
        for ax, panel in zip(every, panels, strict=False):
            _draw_panel(ax, panel)
        for ax in every[len(panels) :]:
            ax.set_visible(False)
        counts = sorted({row.n for panel in panels for one in panel.seeds for row in one.case.own_rows})
        every[0].set_ylabel(f"AP50, n = {'/'.join(map(str, counts))} canvases")
        figure.legend(handles=_handles(panels), loc="outside upper left", ncols=2, fontsize=8)
    return figure


def _draw_panel(ax: Axes, panel: Panel) -> None:
    for one in panel.seeds:
        _draw_front(ax, one.case.other, OTHER)
        _draw_front(ax, one.case.own, OWN)
    zero = panel.seeds[0].case.baseline
    errors = [[zero.accuracy - zero.accuracy_low], [zero.accuracy_high - zero.accuracy]]
    ax.errorbar(1.0, zero.accuracy, yerr=errors, fmt="*", color=BLACK, markersize=8, capsize=2, linewidth=1, zorder=4)
    ratios = mean_and_range(panel.hypervolume_ratios, ".3f")
    ax.set_title(f"{panel.accelerator}\nhypervolume x {ratios}", fontsize=9)
    ax.set_xlabel(f"{WORDS[panel.objective]} relative to ratio 0")
    ax.grid(axis="x")


def _draw_front(ax: Axes, trades: Sequence[Trade], look: Look) -> None:
    """All settings as points; those that no other beats joined by steps, since nothing lies between two settings."""
    best = front_of(trades)
    costs, accuracies = [one.cost for one in trades], [one.accuracy for one in trades]
    ax.plot(costs, accuracies, look.marker, color=look.shade, markersize=look.size, fillstyle=look.fill, alpha=0.8)
    steps = [one.cost for one in best], [one.accuracy for one in best]
    ax.step(*steps, where="post", color=look.shade, linewidth=1, alpha=0.8)


def _handles(panels: Sequence[Panel]) -> list[Line2D]:
    own = " / ".join(dict.fromkeys(WORDS[panel.objective] for panel in panels))
    seeds = max(len(panel.seeds) for panel in panels)
    searches = f"{seeds} seed{'s' if seeds > 1 else ''}"
    lines = [
        Line2D(
            [], [], color=look.shade, marker=look.marker, fillstyle=look.fill, label=f"searched on {what} ({searches})"
        )
        for look, what in ((OTHER, BOPS), (OWN, own))
    ]
    star = Line2D([], [], color=BLACK, marker="*", linestyle="", markersize=8, label="ratio 0, 95 % interval")
    return [*lines, star]
