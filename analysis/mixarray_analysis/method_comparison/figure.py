"""The page's picture: AP50 against cycles, a mark per method and precision, both accelerators beside each other."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from mixarray_analysis.method_comparison.results import Compared
from mixarray_analysis.method_comparison.subjects import MACHINES, METHODS, PRECISIONS, model_name
from mixarray_analysis.plots.style import BLACK, MARKERS, WIDTH_INCHES, colour, style
from mixarray_analysis.reproduction.results import NotMeasuredError

MILLION = 1e6
HEIGHT_INCHES = 4.2
TICKS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


def drawn(found: Compared) -> tuple[Figure, str] | None:
    """The picture of all that is measured, with its caption; None where nothing is."""
    counts: set[int] = set()
    with style():
        figure = Figure(figsize=(1.35 * WIDTH_INCHES, HEIGHT_INCHES), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, len(MACHINES), sharey=True)
        for ax, machine in zip(axes, MACHINES, strict=True):
            counts |= _panel(ax, machine, found)
        axes[0].set_ylabel("AP50")
        figure.legend(handles=_methods(), loc="outside upper left", ncols=2, fontsize=8)
        figure.legend(handles=_precisions(), loc="outside upper right", ncols=2, fontsize=8)
    if not counts:
        return None
    return figure, (
        f"AP50 (0 to 1) with 95 % intervals on n = {'/'.join(map(str, sorted(counts)))} canvases against simulated "
        "cycles of the whole network, all windows high: colours are methods, shapes are precisions. Left and up is "
        "better."
    )


def _panel(ax: Axes, machine: str, found: Compared) -> set[int]:
    """One accelerator; the numbers of canvases behind its marks."""
    counts = set()
    for precision, marker in zip(PRECISIONS, MARKERS, strict=False):
        for place, method in enumerate(METHODS):
            name = model_name(method, precision)
            try:
                one, cost = found.accuracy(name), found.cost(name, machine)
            except NotMeasuredError:
                continue
            errors = [[one.ap50 - one.ap50_low], [one.ap50_high - one.ap50]]
            ax.errorbar(
                [cost.cycles / MILLION], [one.ap50], yerr=errors, color=colour(place), marker=marker, markersize=6,
                linestyle="none", capsize=2, elinewidth=0.7, alpha=0.85,
            )  # fmt: skip
            counts.add(one.n)
    ax.grid(axis="x")
    ax.set_title(machine, fontsize=9)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=TICKS))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("million cycles, logarithmic")
    return counts


def _methods() -> list[Line2D]:
    return [
        Line2D([], [], color=colour(place), marker="s", linestyle="none", label=method.label)
        for place, method in enumerate(METHODS)
    ]


def _precisions() -> list[Line2D]:
    return [
        Line2D([], [], color=BLACK, marker=marker, linestyle="none", fillstyle="none", label=precision.name)
        for precision, marker in zip(PRECISIONS, MARKERS, strict=False)
    ]
