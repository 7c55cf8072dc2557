"""Where the PEs of an array are busy: a heat map of one GEMM."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Array
from mixarray_analysis.plots.frames.gemm import GemmRequest
from mixarray_analysis.plots.heat import COLOURS
from mixarray_analysis.plots.style import DEMO, POINTS_PER_INCH, Size, open_axes, style

WORDS_EMS = 11.5
"""Of the text: what stands above and below the map."""
MAP_SHARE = 0.68
"""Of the width; beside the map stands the colour bar."""
LABELLED_SHARE = 0.12
"""Regions narrower than this share of the array carry no number."""
GRID_ROWS = 32
"""Up to so many rows or columns single PEs are told apart by lines."""
AXES = {
    Dataflow.WEIGHT_STATIONARY: ("array row (K)", "array column (N)"),
    Dataflow.INPUT_STATIONARY: ("array row (K)", "array column (M)"),
    Dataflow.OUTPUT_STATIONARY: ("array row (M)", "array column (N)"),
}


def plot_utilization(
    shown: pd.DataFrame, request: GemmRequest, ax: Axes | None = None, size: Size = DEMO
) -> tuple[Figure, Axes]:
    """Active share of the time by PE of `gemm_frame`, 0 to 100 %; PE(0,0), where everything enters, is upper left."""
    _, array = request.array()
    percent = 100 * shown["active_share"].to_numpy().reshape(array.rows, array.columns)
    rows, columns = percent.shape
    with style(size):
        aspect = min(max(rows / columns, 0.4), 1.0)
        width = min(size.width_inches, 6.0)
        height = MAP_SHARE * width * aspect + WORDS_EMS * size.points / POINTS_PER_INCH
        figure, ax = open_axes(ax, Size(width, height, size.points))
        image = ax.imshow(percent, cmap=COLOURS, vmin=0, vmax=100, extent=(0, columns, rows, 0), aspect="auto")
        ax.set_box_aspect(aspect)
        ax.grid(visible=False)
        if max(rows, columns) <= GRID_ROWS:
            ax.hlines(range(1, rows), 0, columns, colors="white", linewidth=0.25)
            ax.vlines(range(1, columns), 0, rows, colors="white", linewidth=0.25)
        _label_regions(ax, percent)
        ax.set_xticks(*_ticks(columns))
        ax.set_yticks(*_ticks(rows))
        row_label, column_label = AXES[array.dataflow]
        ax.set_ylabel(row_label)
        ax.set_xlabel(column_label)
        ax.set_title(_title(request, array, shown, size.narrow), fontsize="small", loc="left")
        figure.colorbar(image, ax=ax, label="PE multiplies (% of cycles)", shrink=0.85)
    return figure, ax


def _title(request: GemmRequest, array: Array, shown: pd.DataFrame, narrow: bool) -> str:
    total_cycles = int(shown["total_cycles"].iloc[0])
    overall = shown["active_cycles"].sum() / (array.pes * total_cycles)
    m, n, k = request.gemm
    batch = f"{request.batch} x " if request.batch > 1 else ""
    flow = array.dataflow.value.replace("_", "-")
    moved = "draining" if array.dataflow is Dataflow.OUTPUT_STATIONARY else "loading"
    end = "\n" if narrow else " "
    waits = "" if array.row_load_cycles == 1 else f", port: {array.row_load_cycles} cycles a row"
    return (
        f"{array.rows} x {array.columns} {array.pe_style}, {flow}\n"
        f"{array.weight_loading} {moved}, {array.weight_load_rows} rows{waits}\n"
        f"{batch}GEMM {m}x{n}x{k} at {request.bits[0]}x{request.bits[1]} bits,{end}{total_cycles:,} cycles\n"
        f"PE-cycles that multiply: {100 * overall:.1f} %"
    )


def _label_regions(ax: Axes, percent: NDArray[np.float64]) -> None:
    """Write the share into every rectangle of equal PEs that has room for it."""
    row_cuts, column_cuts = _cuts(percent), _cuts(percent.T)
    for top, bottom in pairwise(row_cuts):
        for left, right in pairwise(column_cuts):
            if min((bottom - top) / percent.shape[0], (right - left) / percent.shape[1]) >= LABELLED_SHARE:
                value = percent[top, left]
                ax.text(
                    (left + right) / 2,
                    (top + bottom) / 2,
                    f"{value:.1f} %" if value else "idle",
                    ha="center",
                    va="center",
                    color="black" if value > 50 else "white",
                )


def _cuts(percent: NDArray[np.float64]) -> list[int]:
    """Where rows differ from the row above, with both ends."""
    differing = np.flatnonzero((np.diff(percent, axis=0) != 0).any(axis=1)) + 1
    return [0, *differing.tolist(), len(percent)]


def _ticks(count: int) -> tuple[list[float], list[str]]:
    """Numbers of the first, the last and a few rows or columns between, at the middle of their PEs."""
    step = -(-count // 8)
    shown = [number for number in range(0, count - 1, step) if count - 1 - number >= 0.75 * step]
    shown.append(count - 1)
    return [number + 0.5 for number in shown], [str(number) for number in shown]
