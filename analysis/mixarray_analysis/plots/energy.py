"""Energy per image, stacked by the component that spends it."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixarray_analysis.plots.stacks import plot_stacks
from mixarray_analysis.plots.style import DEMO, Size

LABEL = "energy per image, batch 1 (µJ)"
BAND = "line: constants at their low and high ends"
ENDS = ("energy_low_uj", "energy_high_uj")


def plot_energy(shown: pd.DataFrame, ax: Axes | None = None, size: Size = DEMO, rows: str = "") -> tuple[Figure, Axes]:
    """One bar per run of `energy_frame`; the line on its end goes from the sum of low to that of high ends.

    rows: what the names of the runs are, where they do not say it themselves.
    """
    label = f"{LABEL},\n{BAND}" if size.narrow else f"{LABEL}; {BAND}"
    return plot_stacks(shown, "component", "energy_uj", label, rows, ENDS, ax, size)
