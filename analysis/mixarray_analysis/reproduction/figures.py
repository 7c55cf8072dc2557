"""The page's figures: AP50 against relative cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mixarray_analysis.plots.style import BLACK, GREY, WIDTH_INCHES, colour, style
from mixarray_analysis.reproduction.cells import cost_of
from mixarray_analysis.reproduction.claims import CONTROL, TRAINED, UNIFORM
from mixarray_analysis.reproduction.results import NotMeasuredError, Results
from mixarray_analysis.reproduction.runs import (
    ADAPTED,
    ALL_LOW,
    BOTH,
    COMPRESSIONS,
    FEWER_BITS,
    FEWER_CONTROL,
    FEWER_TRAINED_BITS,
    JOINT,
    PRUNINGS,
    PTQ_MACHINES,
    PTQ_MODELS,
    QAT_MACHINES,
    REVERSED,
)
from mixarray_analysis.reproduction.verdict import Difference, difference

MODEL_TITLES = {"shipped": "shipped (uniform affine)", "repq_vit": "RepQ-ViT"}
Figures = Mapping[str, str]
"""Captions of the figures that were drawn, by file name without its suffix."""
Setting = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Series:
    """A kind of setting and how it is drawn. Filled marks, shapes and dashes differ: colour is never alone."""

    label: str
    shade: str
    marker: Literal["o", "s", "D", "v", "P", "^", "X"]
    line: Literal["-", "--", ":", "-.", ""]
    settings: tuple[Setting, ...] = ()
    what: str = "ratios"


MIXED = Series("MixA-Q", colour(0), "o", "-", tuple((q, 0) for q in (0, *COMPRESSIONS[1:], ALL_LOW)))
PRUNED = Series("pruning", colour(1), "s", "--", ((0, 0), *((0, p) for p in PRUNINGS)))
TOGETHER = Series("both", colour(2), "D", "", BOTH)
WRONG = Series("MixA-Q, reversed ranking", colour(3), "v", ":", REVERSED[:2], "reversed")
WRONG_PRUNED = Series("pruning, reversed ranking", colour(5), "^", ":", REVERSED[2:], "reversed")
FEWER = Series("fewer bits everywhere: A7, A6, A5", BLACK, "X", "-.")
PTQ_ROWS: tuple[tuple[str | None, tuple[Series, ...]], ...] = (
    (None, (MIXED, PRUNED, TOGETHER, WRONG, WRONG_PRUNED, FEWER)),
    (None, (MIXED, WRONG, FEWER)),
    (PTQ_MACHINES[0], (MIXED, PRUNED, TOGETHER, WRONG, WRONG_PRUNED, FEWER)),
)
"""Of each row the accelerator whose cycles are the cost (None: BOPs), and what is drawn. Pruning may lose so much more
that the rest has a row of its own."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A series of trained models. beside: how far it is set beside its bit operations, where many cost the same."""

    series: Series
    models: tuple[str, ...]
    beside: float = 0.0


QAT_SHOWN = (
    Shown(Series("uniform QAT", BLACK, "X", "", ((0, 0),)), UNIFORM, 0.012),
    Shown(Series("uniform QAT, equal budget (control)", GREY, "P", "", ((0, 0),)), CONTROL, 0.024),
    Shown(Series(f"control at W4A{FEWER_TRAINED_BITS}", BLACK, "^", "", ((0, 0),)), (FEWER_CONTROL,)),
    Shown(replace(MIXED, label="SAQA, MixA-Q", settings=tuple((q, 0) for q in COMPRESSIONS)), TRAINED),
    Shown(replace(PRUNED, label="SparseViT's adaptation, pruning"), (ADAPTED,)),
    Shown(replace(PRUNED, label="joint, pruning", shade=colour(3), marker="o", line="-."), (JOINT,)),
    Shown(replace(TOGETHER, label="joint, both", shade=colour(3), marker="P"), (JOINT,)),
)
"""What is drawn of trained models; of SAQA not what is pruned, which its training never saw (a table has it)."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a figure: cost relative to ratio 0, and what AP50 is there relative to it."""

    cost: float
    change: Difference


def ptq_points(model: str, series: Series, machine: str | None, results: Results) -> list[Point]:
    """A series of one calibrated model; cost is that of BOPs, or of cycles on `machine`."""
    zero = results.measured(f"{model}/ratios")
    if series is FEWER:
        runs = [(f"{model}_a{bits}", 0, 0) for bits in FEWER_BITS]
    else:
        runs = [(model, *setting) for setting in series.settings]
    points = []
    for name, low, pruned in runs:
        cost = cost_of(name, low, pruned, results)
        change = difference([results.measured(f"{name}/{series.what}", low, pruned)], [zero])
        points.append(Point(cost.bops if machine is None else cost.cycles[machine], change))
    return points


def ptq_figure(results: Results) -> tuple[Figure, str]:
    """PTQ_ROWS, a column per model of which all is measured; NotMeasuredError while there is none."""
    models = [model for model in PTQ_MODELS if _is_measured(model, results)]
    if not models:
        raise NotMeasuredError(PTQ_MODELS[0])
    with style():
        figure = Figure(
            figsize=(0.675 * WIDTH_INCHES * max(len(models), 1.5), 3.0 * len(PTQ_ROWS)), layout="constrained"
        )
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(PTQ_ROWS), len(models), sharey="row", sharex="row", squeeze=False)
        for row, (machine, shown) in zip(axes, PTQ_ROWS, strict=True):
            for ax, model in zip(row, models, strict=True):
                for series in shown:
                    _draw(ax, series, ptq_points(model, series, machine, results))
                ax.axhline(0, color=GREY, linewidth=0.8)
                ax.grid(axis="x")
                ax.set_xlabel(f"cycles on {machine}, relative" if machine else "BOPs of the blocks, relative")
            row[0].set_ylabel("AP50 minus that of ratio 0")
        for ax, model in zip(axes[0], models, strict=True):
            ax.set_title(MODEL_TITLES[model], fontsize=9)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=3, fontsize=8)
    counts = "/".join(dict.fromkeys(str(results.measured(f"{model}/ratios").n) for model in models))
    return figure, (
        "PTQ, W4A8 and W4A4: AP50 minus that of ratio 0 (0 to 1) against cost relative to ratio 0, with paired 95 % "
        f"intervals over n = {counts} canvases; nothing was trained, so there is one seed. Top: bit operations of the "
        "blocks; middle: the same without pruning, on another scale; bottom: simulated cycles of the whole network on "
        f"{PTQ_MACHINES[0]}."
    )


def _is_measured(model: str, results: Results) -> bool:
    """Whether everything that PTQ_ROWS shows of a model is there, on equal canvases."""
    try:
        for machine, shown in PTQ_ROWS:
            for series in shown:
                ptq_points(model, series, machine, results)
    except NotMeasuredError:
        return False
    return True


def qat_figure(results: Results) -> tuple[Figure, str]:
    """Seeds as dots, lines through their means, by BOPs and by cycles; NotMeasuredError while something is missing."""
    costs = (None, *QAT_MACHINES)
    with style():
        figure = Figure(figsize=(1.35 * WIDTH_INCHES, 4.0), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, len(costs), sharey=True)
        for ax, machine in zip(panels, costs, strict=True):
            for shown in QAT_SHOWN:
                _seeds(ax, shown, machine, results)
            ax.axvline(1, color=GREY, linewidth=0.8)
            ax.grid(axis="x")
            ax.set_xlabel(f"cycles on {machine}, relative" if machine else "BOPs of the blocks, relative")
        n = results.measured(f"{TRAINED[0]}/ratios").n
        panels[0].set_ylabel(f"AP50, n = {n} canvases")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=4, fontsize=8)
    return figure, (
        f"QAT, W4A4 and W4A2: AP50 on n = {n} canvases (0 to 1) against cost relative to all windows high: bit "
        f"operations of the blocks, and simulated cycles of the whole network on {QAT_MACHINES[0]}, which has no 2-bit "
        f"modes, and on {QAT_MACHINES[1]}, which has them; a dot per seed ({len(TRAINED)}), lines through means; one "
        "seed at W4A3 and where training prunes. Both machines run A3 as A4. Uniform QAT costs 1, and on the left is "
        "set beside it; `joint` is SAQA with pruned windows besides."
    )


def _draw(ax: Axes, series: Series, points: Sequence[Point]) -> None:
    costs, changes = [point.cost for point in points], [point.change for point in points]
    errors = [[one.mean - one.low for one in changes], [one.high - one.mean for one in changes]]
    ax.errorbar(
        costs, [one.mean for one in changes], yerr=errors, color=series.shade, marker=series.marker,
        linestyle=series.line, linewidth=1, markersize=4.5, capsize=2, elinewidth=0.8, label=series.label, alpha=0.9,
    )  # fmt: skip


def _seeds(ax: Axes, shown: Shown, machine: str | None, results: Results) -> None:
    """A dot per setting and seed, and a line through the means of the seeds."""
    series, points = shown.series, qat_points(shown, machine, results)
    costs = [cost + (0 if machine else shown.beside) for cost, _ in points]
    for place, (cost, (_, every)) in enumerate(zip(costs, points, strict=True)):
        label = "_nolegend_" if place else series.label
        ax.plot([cost] * len(every), every, series.marker, color=series.shade, markersize=4, alpha=0.7, label=label)
    means = [sum(every) / len(every) for _, every in points]
    ax.plot(costs, means, linestyle=series.line or "none", color=series.shade, linewidth=1)


def qat_points(shown: Shown, machine: str | None, results: Results) -> list[tuple[float, list[float]]]:
    """A series of trained models: (cost in BOPs, or in cycles on `machine`; AP50 of every seed) by setting."""
    found = []
    for low, pruned in shown.series.settings:
        cost = cost_of(shown.models[0], low, pruned, results)
        every = [results.measured(f"{model}/ratios", low, pruned).ap50 for model in shown.models]
        found.append((cost.bops if machine is None else cost.cycles[machine], every))
    return found


def drawn(results: Results) -> dict[str, tuple[Figure, str]]:
    """Every figure of which all is measured, with its caption."""
    found: dict[str, tuple[Figure, str]] = {}
    for name, draw in (("ptq", ptq_figure), ("qat", qat_figure)):
        try:
            found[name] = draw(results)
        except NotMeasuredError:
            continue
    return found
