"""The picture of a comparison: a panel per accelerator, fronts searched on BOPs and on what the accelerator does.

Colour and mark say what a front was searched on, the kind of line which seed: pairs are found in grey print too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mixarray_analysis.plots.style import BLACK, GREY, HEIGHT_INCHES, WIDTH_INCHES, colour, style
from mixarray_analysis.search.compare import Case, Panel
from mixarray_analysis.search.front import Trade, front_of
from mixarray_analysis.search.hardware import Objective
from mixarray_analysis.search.results import FrontRow
from mixarray_analysis.spread import mean_and_range

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
Line = Literal["-", "--", ":", "-."]
LINES: tuple[Line, ...] = ("-", "--", ":", "-.")
"""By seed, again from the start when they end."""
BEATEN_ALPHA, FRONT_ALPHA = 0.3, 0.9
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
            _draw_panel(ax, panel, _lines(panels))
        for ax in every[len(panels) :]:
            ax.set_visible(False)
        for ax in every[: len(panels) : columns]:
            ax.set_ylabel(_accuracy_label(panels))
        figure.legend(handles=_handles(panels), loc="outside upper left", ncols=3, fontsize=8)
    return figure


def _accuracy_label(panels: Sequence[Panel]) -> str:
    counts = sorted({row.n for panel in panels for one in panel.seeds for row in one.case.own_rows})
    return f"AP50, n = {'/'.join(map(str, counts))} canvases"


def _lines(panels: Sequence[Panel]) -> dict[int, Line]:
    """The kind of line of each seed, the same in all panels."""
    seeds = sorted({one.case.seed for panel in panels for one in panel.seeds})
    return {seed: LINES[place % len(LINES)] for place, seed in enumerate(seeds)}


def _draw_panel(ax: Axes, panel: Panel, lines: Mapping[int, Line]) -> None:
    for one in panel.seeds:
        _draw_front(ax, one.case.other, OTHER, lines[one.case.seed])
        _draw_front(ax, one.case.own, OWN, lines[one.case.seed])
    zero = panel.seeds[0].case.baseline
    # a bootstrap interval of few canvases need not hold the accuracy that it is of
    errors = [[max(zero.accuracy - zero.accuracy_low, 0.0)], [max(zero.accuracy_high - zero.accuracy, 0.0)]]
    ax.errorbar(1.0, zero.accuracy, yerr=errors, fmt="*", color=BLACK, markersize=8, capsize=2, linewidth=1, zorder=4)
    word = WORDS[panel.objective]
    ratios, gains = mean_and_range(panel.hypervolume_ratios, ".3f"), mean_and_range(panel.gains, "+.2%")
    ax.set_title(
        f"{panel.accelerator}\n{word} of the front searched on BOPs at equal AP50: {gains}\n"
        f"hypervolume, searched on {word} over searched on BOPs: {ratios}",
        fontsize=7.5,
    )
    ax.set_xlabel(f"{word} relative to ratio 0")
    ax.grid(axis="x")


def _draw_front(ax: Axes, trades: Sequence[Trade], look: Look, line: Line) -> None:
    """Settings that no other beats, joined by steps since nothing lies between two settings; pale ones are beaten."""
    best = front_of(trades)
    beaten = [one for one in trades if one not in best]
    for shown, alpha in ((beaten, BEATEN_ALPHA), (best, FRONT_ALPHA)):
        places = [one.cost for one in shown], [one.accuracy for one in shown]
        ax.plot(*places, look.marker, color=look.shade, markersize=look.size, fillstyle=look.fill, alpha=alpha)
    ax.step(
        [one.cost for one in best],
        [one.accuracy for one in best],
        where="post",
        color=look.shade,
        linestyle=line,
        linewidth=1,
        alpha=FRONT_ALPHA,
    )


def _handles(panels: Sequence[Panel]) -> list[Line2D]:
    own = " / ".join(dict.fromkeys(WORDS[panel.objective] for panel in panels))
    fronts = [
        Line2D([], [], color=look.shade, marker=look.marker, fillstyle=look.fill, label=f"searched on {what}")
        for look, what in ((OTHER, BOPS), (OWN, own))
    ]
    seeds = [
        Line2D([], [], color=GREY, linestyle=line, linewidth=1, label=f"seed {seed}")
        for seed, line in _lines(panels).items()
    ]
    star = Line2D([], [], color=BLACK, marker="*", linestyle="", markersize=8, label="ratio 0, 95 % interval")
    return [*fronts, *seeds, star]
