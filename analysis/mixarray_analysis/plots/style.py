"""One look for every plot: a palette that colour-blind readers can tell apart, sizes that print, and `ax=`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLACK = "#000000"
GREY = "#999999"
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", BLACK)
"""Okabe and Ito, Color Universal Design, 2008."""
HATCHES = ("", "//", "\\\\", "..", "xx", "OO", "++", "**")
"""So that bars stay apart in grey print too."""
WIDTH_INCHES = 6.4
HEIGHT_INCHES = 3.8

SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
    "svg.hashsalt": "mixarray",
}


@contextmanager
def style() -> Iterator[None]:
    """Everything drawn or saved inside has our look; matplotlib's own settings are untouched outside."""
    with rc_context(SETTINGS):
        yield


def open_axes(ax: Axes | None, width: float = WIDTH_INCHES, height: float = HEIGHT_INCHES) -> tuple[Figure, Axes]:
    """The caller's axes with their figure, or new ones; no window system and no global figure list is involved."""
    if ax is not None:
        figure = ax.get_figure(root=True)
        if figure is None:
            raise ValueError("the axes belong to no figure")
        return figure, ax
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def colour(index: int) -> str:
    """The palette's colour number `index`, again from the start when it ends."""
    return OKABE_ITO[index % len(OKABE_ITO)]
