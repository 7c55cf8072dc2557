"""Energy per image, stacked by the component that spends it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixarray_analysis.plots.stacks import plot_stacks
from mixarray_analysis.plots.style import BLACK, BLUE, DEMO, GREEN, ORANGE, PINK, SKY, VERMILLION, Look, Size

LOOKS: Mapping[str, Look] = {
    "array": (BLUE, ""),
    "DRAM": (ORANGE, "//"),
    "activation buffer": (GREEN, "\\\\"),
    "weight buffer": (PINK, ".."),
    "accumulator buffer": (VERMILLION, "OO"),
    "vector unit": (SKY, "xx"),
}
OTHER: Look = (BLACK, "")
FURTHER = ("---", "||", "++", "..", "oo", "OO", "xx")
"""Added to the hatch of a second array, unit or channel of a kind, a third and so on."""
LABEL = "energy per image, batch 1 (µJ)"
BAND = "line: constants at their low and high ends"
ENDS = ("energy_low_uj", "energy_high_uj")


def plot_energy(shown: pd.DataFrame, ax: Axes | None = None, size: Size = DEMO, rows: str = "") -> tuple[Figure, Axes]:
    """One bar per run of `energy_frame`; the line on its end goes from the sum of low to that of high ends.

    rows: what the names of the runs are, where they do not say it themselves.
    """
    label = f"{LABEL},\n{BAND}" if size.narrow else f"{LABEL}; {BAND}"
    return plot_stacks(shown, "component", "energy_uj", look_of, label, rows, ENDS, ax, size)


def look_of(component: str) -> Look:
    """Colour and hatch of a component by its words, whatever else a machine has: `array 2` has the array's colour."""
    if component in LOOKS:
        return LOOKS[component]
    kind, _, number = component.rpartition(" ")
    if kind not in LOOKS or not number.isdecimal():
        return OTHER
    shade, pattern = LOOKS[kind]
    return shade, pattern + FURTHER[(int(number) - 2) % len(FURTHER)]
