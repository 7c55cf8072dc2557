"""The picture with its windows tinted by the bits they run at, one panel per stage."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from mixarray_analysis.plots.style import (
    BLACK,
    DEMO,
    OKABE_ITO,
    POINTS_PER_INCH,
    Size,
    figure_of,
    finer,
    open_figure,
    style,
)

TINTS = {8: OKABE_ITO[0], 4: OKABE_ITO[1], 2: OKABE_ITO[3], 0: BLACK}
"""By activation bits; another width takes the palette's green."""
HATCHED = {4: "//", 2: "xx", 0: "++"}
"""By activation bits, for grey print; 8-bit windows have none."""
HATCH_INCHES = 0.3
"""Windows narrower than this are hatched more densely, or some would show no stroke."""
OPACITY = 0.22
"""Of the tints, on the picture and in the legend, where the picture's mean colour is beneath them."""
GAMMA = 0.6
"""The picture is drawn with its middle tones lifted, or dark photographs vanish under the tint."""
TITLE_EMS = 2.4
"""Of the text: above each panel; the legend takes as much."""


def plot_windows(
    shown: pd.DataFrame, picture: NDArray[np.uint8], ax: Sequence[Axes] | None = None, size: Size = DEMO
) -> tuple[Figure, Sequence[Axes]]:
    """One panel per stage over the `picture` (H, W, 3); `ax` gives as many axes, left to right."""
    stages = sorted(shown["stage"].unique())
    lightened = np.rint(255 * (picture / 255) ** GAMMA).astype(np.uint8)
    with style(size):
        figure, panels = _open_panels(len(stages), ax, picture.shape[0] / picture.shape[1], size)
        for panel, stage in zip(panels, stages, strict=True):
            part = shown[shown["stage"] == stage]
            panel.imshow(lightened)
            px_per_inch = picture.shape[1] * figure.dpi / panel.get_window_extent().width
            for row in part.itertuples():
                panel.add_patch(
                    Rectangle(
                        (row.x_px - 0.5, row.y_px - 0.5),
                        row.width_px,
                        row.height_px,
                        facecolor=(_tint(row.bits), OPACITY),
                        edgecolor="white",
                        linewidth=0.4,
                        hatch=HATCHED.get(row.bits, "") * ceil(HATCH_INCHES * px_per_inch / row.width_px),
                    )
                )
            low = int(part["low"].sum())
            panel.set_title(f"stage {stage}: {low} of {len(part)} windows low", fontsize="small")
            panel.set_axis_off()
        under = lightened.reshape(-1, 3).mean(axis=0) / 255
        names = [
            Patch(
                facecolor=_over(_tint(bits), under),
                label=_name(bits),
                hatch=finer(HATCHED.get(bits, ""), size),
                edgecolor="white",
            )
            for bits in sorted(set(shown["bits"]))[::-1]
        ]
        figure.legend(handles=names, loc="outside lower center", ncols=len(names))
    return figure, panels


def _open_panels(count: int, ax: Sequence[Axes] | None, aspect: float, size: Size) -> tuple[Figure, Sequence[Axes]]:
    """Panels for pictures whose height is `aspect` times their width, side by side or two in a row."""
    if ax is not None:
        if len(ax) != count:
            raise ValueError(f"{count} stages need {count} axes, not {len(ax)}")
        return figure_of(ax[0]), ax
    columns = min(2, count) if size.narrow else count
    rows = -(-count // columns)
    above = TITLE_EMS * size.points / POINTS_PER_INCH
    figure = open_figure(size.width_inches, rows * (size.width_inches / columns * aspect + above) + above)
    return figure, [figure.add_subplot(rows, columns, number + 1) for number in range(count)]


def _tint(bits: int) -> str:
    return TINTS.get(bits, OKABE_ITO[2])


def _over(tint: str, under: NDArray[np.float64]) -> tuple[float, float, float]:
    """A tint on a colour, as a window looks on the picture."""
    red, green, blue = OPACITY * np.array(to_rgb(tint)) + (1 - OPACITY) * under
    return float(red), float(green), float(blue)


def _name(bits: int) -> str:
    return "pruned" if bits == 0 else f"{bits}-bit activations"
