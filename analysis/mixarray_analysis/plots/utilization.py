"""Where the PEs of an array are busy: a heat map of one GEMM, from every event of the array model."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Array
from mixarray.array.fold import Fold
from mixarray.array.problem import Problem, expand_folds, folds, gemm_problem
from mixarray.array.utilization import Utilization, utilization
from mixarray.errors import InputError
from mixarray_analysis.plots.style import open_axes, style

SHOWN = ["row", "column", "active_cycles", "active_share"]
MOST_EVENTS = 8_000_000
"""A log of so many events takes about 1.5 GB while it is sorted, and some seconds."""
MOST_FOLDS = 50_000
"""Each is expanded on its own: so many take some seconds, too."""
MOST_PES = 1 << 20
"""The table has a line for each."""
SIDE_INCHES = 4.0
"""Of the longer side of the map; beside it stands the colour bar, above and below it the words."""
LEGEND_INCHES = 1.5
WORDS_INCHES = 1.3
COLOURS = "cividis"
"""Reads alike with and without red-green blindness (Nunez et al. 2018), and in grey print."""
LABELLED_SHARE = 0.12
"""Regions narrower than this share of the array carry no number."""
GRID_ROWS = 32
"""Up to so many rows or columns single PEs are told apart by lines."""
AXES = {
    Dataflow.WEIGHT_STATIONARY: ("array row (K)", "array column (N)"),
    Dataflow.INPUT_STATIONARY: ("array row (K)", "array column (M)"),
    Dataflow.OUTPUT_STATIONARY: ("array row (M)", "array column (N)"),
}


@dataclass(frozen=True, slots=True)
class UtilizationRequest:
    """`batch` GEMMs of (M, N, K) back to back at (activation, weight) bits on an accelerator's first array."""

    gemm: tuple[int, int, int]
    bits: tuple[int, int]
    batch: int
    accelerator: str
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GemmUtilization:
    """What a request found, with the array that it was found on."""

    request: UtilizationRequest
    array: Array
    found: Utilization


def count_utilization(request: UtilizationRequest) -> GemmUtilization:
    """Expand the whole batch as one stream of folds and count; InputError for a GEMM that no mode or memory holds."""
    accelerator = load_accelerator(request.accelerator, request.overrides)
    index, _ = accelerator.array_for(*request.bits)
    array = accelerator.arrays[index]
    problem = gemm_problem(array, request.gemm, request.bits)
    _check_size(array, f"arrays.{index}", problem, request.batch)
    stream: tuple[Fold, ...] = folds(array, problem) * request.batch
    return GemmUtilization(request, array, utilization(array, stream, expand_folds(array, stream)))


def utilization_shown(counted: GemmUtilization) -> pd.DataFrame:
    """One row per PE (columns: SHOWN)."""
    found = counted.found
    rows, columns = np.indices(found.active_cycles.shape)
    values = rows.ravel(), columns.ravel(), found.active_cycles.ravel(), found.share.ravel()
    return pd.DataFrame(dict(zip(SHOWN, values, strict=True)))


def plot_utilization(counted: GemmUtilization, ax: Axes | None = None) -> tuple[Figure, Axes]:
    """Active share of the time by PE, from 0 to 100 %; PE(0,0), where everything enters, is at the upper left."""
    array, percent = counted.array, 100 * counted.found.share
    rows, columns = percent.shape
    with style():
        aspect = min(max(rows / columns, 0.4), 1.0)
        figure, ax = open_axes(ax, SIDE_INCHES + LEGEND_INCHES, SIDE_INCHES * aspect + WORDS_INCHES)
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
        ax.set_title(_title(counted), fontsize=9, loc="left")
        figure.colorbar(image, ax=ax, label="PE multiplies (% of cycles)", shrink=0.85)
    return figure, ax


def _title(counted: GemmUtilization) -> str:
    request, array, found = counted.request, counted.array, counted.found
    m, n, k = request.gemm
    batch = f"{request.batch} x " if request.batch > 1 else ""
    flow = array.dataflow.value.replace("_", "-")
    moved = "draining" if array.dataflow is Dataflow.OUTPUT_STATIONARY else "loading"
    waits = "" if array.row_load_cycles == 1 else f", port: {array.row_load_cycles} cycles a row"
    return (
        f"{array.rows} x {array.columns} {array.pe_style}, {flow}\n"
        f"{array.weight_loading} {moved}, {array.weight_load_rows} rows{waits}\n"
        f"{batch}GEMM {m}x{n}x{k} at {request.bits[0]}x{request.bits[1]} bits, {found.total_cycles:,} cycles\n"
        f"PE-cycles that multiply: {100 * found.overall:.1f} %"
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


def _check_size(array: Array, path: str, problem: Problem, batch: int) -> None:
    """Refuse what cannot be expanded event by event."""
    if array.pes > MOST_PES:
        raise InputError(path, f"has {array.pes:,} PEs; at most {MOST_PES:,} are drawn")
    mode, across = problem.runs[0].mode, -(-problem.n // array.columns)
    if array.dataflow is Dataflow.OUTPUT_STATIONARY:
        count = -(-problem.m // array.rows) * across
        events = 2 * count * (problem.k + array.rows)
    else:
        count = -(-problem.k // mode.fold_depth(array.rows)) * across
        events = count * (array.rows + 2 * problem.m * mode.passes(mode.fold_depth(array.rows), array.rows))
    for number, what, most in ((events, "events", MOST_EVENTS), (count, "folds", MOST_FOLDS)):
        if number > most:
            raise InputError("--gemm", f"takes about {number:,} {what} on this array; at most {most:,} are drawn")
        if number * batch > most:
            total = f"{batch:,} such GEMMs take about {number * batch:,} {what} on this array"
            raise InputError("--batch", f"{total}; at most {most:,} are drawn")
