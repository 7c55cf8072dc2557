"""The picture with its windows tinted by the bits they run at, one panel per stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from mixarray.errors import InputError
from mixarray.trace.bundle import Bundle
from mixarray_analysis.plots.style import BLACK, OKABE_ITO, WIDTH_INCHES, style

TINTS = {8: OKABE_ITO[0], 4: OKABE_ITO[1], 2: OKABE_ITO[3], 0: BLACK}
"""By activation bits; another width takes the palette's green."""
OPACITY = 0.22
LEGEND_OPACITY = 0.6
GAMMA = 0.6
"""The picture is drawn with its middle tones lifted, or dark photographs vanish under the tint."""
SHOWN = ["stage", "window", "bits", "low", "x_px", "y_px", "width_px", "height_px"]


def windows_shown(bundle: Bundle, image: int) -> pd.DataFrame:
    """The windows of the regular grid of each stage's first block, placed on the picture (columns: SHOWN).

    `low` says whether a window ran in the low branch. Raises InputError where the bundle has no such image, or its
    windows do not tile its input.
    """
    if not 0 <= image < len(bundle.images):
        raise InputError("--image", f"{image} is not in the bundle; it has images 0 to {len(bundle.images) - 1}")
    manifest, table = bundle.manifest, bundle.identified_windows
    rows = []
    for stage in sorted(set(table.stage.tolist())):
        mask = (table.image == image) & (table.stage == stage) & (table.grid == 0)
        mask &= table.block == table.block[mask].min()
        side_px = manifest.window_size * _token_px(bundle, int(table.tokens[mask].sum()))
        across = -(-manifest.input_width // side_px)
        for window, bits in sorted(zip(table.window[mask].tolist(), table.bits[mask].tolist(), strict=True)):
            x, y = window % across * side_px, window // across * side_px
            width, height = min(side_px, manifest.input_width - x), min(side_px, manifest.input_height - y)
            low = 0 < bits < manifest.activation_bits_high
            rows.append((stage, window, bits, low, x, y, width, height))
    return pd.DataFrame(rows, columns=SHOWN)


def _token_px(bundle: Bundle, tokens: int) -> int:
    """Side in pixels of a token of the stage whose map has so many: a power of two, as Swin's patches and merges are.

    Maps round up: a map of 7x8 tokens may be of 200x230 px, and other sides than powers of two would fit as well.
    """
    height, width = bundle.manifest.input_height, bundle.manifest.input_width
    for side in (1 << power for power in range(max(height, width).bit_length() + 1)):
        if -(-height // side) * -(-width // side) == tokens:
            return side
    raise InputError(str(bundle.path), f"{tokens} tokens do not tile {height}x{width} px", "windows.parquet")


def plot_windows(
    shown: pd.DataFrame, picture: NDArray[np.uint8], ax: Sequence[Axes] | None = None
) -> tuple[Figure, Sequence[Axes]]:
    """One panel per stage over the `picture` (H, W, 3); `ax` gives as many axes, left to right."""
    stages = sorted(shown["stage"].unique())
    lightened = np.rint(255 * (picture / 255) ** GAMMA).astype(np.uint8)
    with style():
        figure, panels = _open_panels(len(stages), ax)
        for panel, stage in zip(panels, stages, strict=True):
            part = shown[shown["stage"] == stage]
            panel.imshow(lightened)
            for row in part.itertuples():
                panel.add_patch(
                    Rectangle(
                        (row.x_px - 0.5, row.y_px - 0.5),
                        row.width_px,
                        row.height_px,
                        facecolor=(_tint(row.bits), OPACITY),
                        edgecolor="white",
                        linewidth=0.4,
                    )
                )
            low = int(part["low"].sum())
            panel.set_title(f"stage {stage}: {low} of {len(part)} windows low", fontsize=8)
            panel.set_axis_off()
        names = [
            Patch(facecolor=(_tint(bits), LEGEND_OPACITY), label=_name(bits))
            for bits in sorted(set(shown["bits"]))[::-1]
        ]
        figure.legend(handles=names, loc="outside lower center", ncols=len(names), fontsize=8)
    return figure, panels


def _open_panels(count: int, ax: Sequence[Axes] | None) -> tuple[Figure, Sequence[Axes]]:
    if ax is not None:
        if len(ax) != count:
            raise ValueError(f"{count} stages need {count} axes, not {len(ax)}")
        figure = ax[0].get_figure(root=True)
        if figure is None:
            raise ValueError("the axes belong to no figure")
        return figure, ax
    figure = Figure(figsize=(WIDTH_INCHES * count / 3, WIDTH_INCHES / 3 + 0.55), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(1, count, number + 1) for number in range(count)]


def _tint(bits: int) -> str:
    return TINTS.get(bits, OKABE_ITO[2])


def _name(bits: int) -> str:
    return "pruned" if bits == 0 else f"{bits}-bit activations"
