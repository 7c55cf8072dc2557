"""Latency by cause: stacked bars of runs beside each other."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixarray.mapping.schedule import JobKind
from mixarray_analysis.plots.stacks import plot_stacks
from mixarray_analysis.plots.style import BLACK, BLUE, DEMO, GREEN, ORANGE, PINK, SKY, VERMILLION, YELLOW, Look, Size
from mixarray_analysis.sentence import words_for

LOOKS: Mapping[JobKind, Look] = {
    JobKind.STREAM: (BLUE, ""),
    JobKind.ARRAY_LOAD: (BLUE, "//"),
    JobKind.DRAIN: (BLUE, "||"),
    JobKind.MODE_SWITCH: (BLUE, "---"),
    JobKind.TRANSPOSE: (BLUE, "xx"),
    JobKind.DRAM_LOAD_ACTIVATION: (ORANGE, "//"),
    JobKind.DRAM_LOAD_WEIGHT: (ORANGE, "OO"),
    JobKind.DRAM_LOAD_PARTIAL: (ORANGE, "||"),
    JobKind.DRAM_LOAD_PARAMETER: (ORANGE, "\\\\"),
    JobKind.DRAM_STORE: (GREEN, "\\\\"),
    JobKind.DRAM_STORE_COPY: (GREEN, "++"),
    JobKind.DRAM_STORE_PARTIAL: (GREEN, ".."),
    JobKind.LAYERNORM: (PINK, ".."),
    JobKind.RESIDUAL: (PINK, "++"),
    JobKind.SOFTMAX: (SKY, "xx"),
    JobKind.GELU: (SKY, "---"),
    JobKind.REQUANTIZE: (VERMILLION, "OO"),
    JobKind.GATHER: (VERMILLION, "//"),
    JobKind.SCATTER: (VERMILLION, "||"),
    JobKind.TOKEN_MAP: (VERMILLION, "---"),
    JobKind.RANK: (VERMILLION, "xx"),
    JobKind.SORT: (VERMILLION, "ooo"),
    JobKind.ROW_SUM: (YELLOW, "++"),
    JobKind.COLUMN_SUM: (YELLOW, "//"),
    JobKind.PATCH_EMBED: (YELLOW, "xx"),
    JobKind.PATCH_MERGE: (YELLOW, "\\\\"),
    JobKind.UPSAMPLE_ADD: (YELLOW, "---"),
}
"""The array is blue, loads from DRAM orange, stores green, the vector unit and its movers the rest. Kinds of colours
that look alike in grey print differ in their hatches."""
LOOK_OF_CAUSE = {words_for(kind.value): look for kind, look in LOOKS.items()}
OTHER: Look = (BLACK, "")
"""What the seven largest leave."""
LABEL = "simulated latency per image, batch 1 (ms), by what the critical chain waits for"
SHORT_LABEL = "latency per image, batch 1 (ms)"


def plot_latency(shown: pd.DataFrame, ax: Axes | None = None, size: Size = DEMO, rows: str = "") -> tuple[Figure, Axes]:
    """One bar per run of `latency_frame`, divided among the causes of its critical chain.

    rows: what the names of the runs are, where they do not say it themselves.
    """
    label = SHORT_LABEL if size.narrow else LABEL
    return plot_stacks(shown, "cause", "latency_ms", look_of, label, rows, None, ax, size)


def look_of(cause: str) -> Look:
    """Colour and hatch of a kind of work by its words, the same in every picture."""
    return LOOK_OF_CAUSE.get(cause, OTHER)
