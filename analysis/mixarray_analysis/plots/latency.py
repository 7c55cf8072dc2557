"""Latency by cause: stacked bars of runs beside each other."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixarray_analysis.plots.stacks import plot_stacks
from mixarray_analysis.plots.style import DEMO, Size

LABEL = "simulated latency per image, batch 1 (ms), by what the critical chain waits for"
SHORT_LABEL = "latency per image, batch 1 (ms)"


def plot_latency(shown: pd.DataFrame, ax: Axes | None = None, size: Size = DEMO, rows: str = "") -> tuple[Figure, Axes]:
    """One bar per run of `latency_frame`, divided among the causes of its critical chain.

    rows: what the names of the runs are, where they do not say it themselves.
    """
    label = SHORT_LABEL if size.narrow else LABEL
    return plot_stacks(shown, "cause", "latency_ms", label, rows, None, ax, size)
