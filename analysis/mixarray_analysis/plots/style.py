"""One look for every plot: a palette that colour-blind readers can tell apart, two sizes that print, and `ax=`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLACK = "#000000"
GREY = "#999999"
BLUE, ORANGE, GREEN, PINK, SKY, VERMILLION, YELLOW = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442",
)  # fmt: skip
OKABE_ITO = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILLION, YELLOW, BLACK)
"""Okabe and Ito, Color Universal Design, 2008."""
HATCHES = ("", "//", "\\\\", "..", "xx", "OO", "++", "")
"""So that bars stay apart in grey print too; the last colour is black."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
Look = tuple[str, str]
"""Colour and hatch."""
Line = Literal["-", "--", ":", "-."]
Place = Literal["outside lower center", "outside upper left"]
LINES: tuple[Line, ...] = ("-", "--", ":", "-.")
MOST_COLUMNS = 3
LEGEND_EMS = 1.3
"""Height of a row of a legend, in sizes of the text."""
CHARACTER_EMS, HANDLE_EMS = 0.45, 3.6
"""Widths in a legend, in sizes of the text: of a character, and of what is drawn before an entry and after it."""
POINTS_PER_INCH = 72
WIDTH_INCHES = 6.4
HEIGHT_INCHES = 3.8


@dataclass(frozen=True, slots=True)
class Size:
    """Width and usual height (without legend) of a picture in inches, and the size of its text in points."""

    width_inches: float
    height_inches: float
    points: float

    @property
    def narrow(self) -> bool:
        """Whether panels stand below each other, and legends below the axes."""
        return self.width_inches < 5


DEMO = Size(8.0, 4.7, 10.0)
PAPER = Size(3.3, 2.2, 6.5)
"""One column of a two-column paper."""


def _settings(size: Size) -> dict[Any, Any]:
    """matplotlib's settings at a size; every text is relative to `font.size`."""
    scale = size.points / DEMO.points
    return {
        "font.family": "DejaVu Sans",
        "font.size": size.points,
        "axes.titlesize": "medium",
        "legend.fontsize": "small",
        "xtick.labelsize": "small",
        "ytick.labelsize": "small",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.linewidth": scale,
        "grid.color": "#dddddd",
        "grid.linewidth": 0.6 * scale,
        "lines.linewidth": 1.4 * scale,
        "lines.markersize": 6 * scale,
        "patch.linewidth": scale,
        "xtick.major.width": scale,
        "ytick.major.width": scale,
        "xtick.major.size": 3.5 * scale,
        "ytick.major.size": 3.5 * scale,
        "legend.frameon": False,
        "legend.handlelength": 1.6,
        "legend.columnspacing": 1.2,
        "hatch.linewidth": 0.6,
        "pdf.fonttype": 42,
        "savefig.dpi": 200,
        "svg.hashsalt": "mixarray",
    }


@contextmanager
def style(size: Size = DEMO) -> Iterator[None]:
    """Everything drawn or saved inside has our look; matplotlib's own settings are untouched outside."""
    with rc_context(_settings(size)):
        yield


def open_figure(width_inches: float, height_inches: float) -> Figure:
    """A figure without axes; no window system and no global figure list is involved."""
    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def open_axes(ax: Axes | None, size: Size = DEMO, height_inches: float | None = None) -> tuple[Figure, Axes]:
    """The caller's axes with their figure, or new ones of a size (another height where it is given)."""
    if ax is not None:
        return figure_of(ax), ax
    figure = open_figure(size.width_inches, size.height_inches if height_inches is None else height_inches)
    return figure, figure.add_subplot()


def figure_of(ax: Axes) -> Figure:
    """The figure that the caller's axes belong to; ValueError where there is none."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes belong to no figure")
    return figure


def legend_below(figure: Figure, size: Size, ax: Axes, own: bool) -> None:
    """The legend of one of a figure's axes below all of them; `own` as in `add_legend`."""
    add_legend(figure, *ax.get_legend_handles_labels(), size, "outside lower center", own)


def legend_above(figure: Figure, size: Size, ax: Axes, own: bool) -> None:
    """The legend of one of a figure's axes above all of them; `own` as in `add_legend`."""
    add_legend(figure, *ax.get_legend_handles_labels(), size, "outside upper left", own)


def add_legend(
    figure: Figure, handles: Sequence[Artist], labels: Sequence[str], size: Size, place: Place, own: bool
) -> None:
    """A legend of a whole figure, in as many columns as stand beside each other (at most MOST_COLUMNS).

    own: the figure is ours, not the caller's, and grows by what the legend needs.
    """
    widest_points = (max(map(len, labels)) * CHARACTER_EMS + HANDLE_EMS) * size.points
    columns = max(1, min(MOST_COLUMNS, int(size.width_inches * POINTS_PER_INCH / widest_points)))
    if own:
        rows = -(-len(labels) // columns)
        figure.set_figheight(figure.get_figheight() + rows * LEGEND_EMS * size.points / POINTS_PER_INCH)
    figure.legend(handles, labels, loc=place, ncols=columns)


def hatch(index: int, size: Size) -> str:
    """The hatch number `index`, finer where the picture is narrow; where colours repeat, hatches differ."""
    return finer(HATCHES[(index + index // len(OKABE_ITO)) % len(HATCHES)], size)


def finer(pattern: str, size: Size) -> str:
    """A hatch as it is, with more strokes where the picture is narrow."""
    return pattern * (2 if size.narrow else 1)


def colour(index: int) -> str:
    """The palette's colour number `index`, again from the start when it ends."""
    return OKABE_ITO[index % len(OKABE_ITO)]
