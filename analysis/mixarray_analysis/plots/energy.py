"""Energy per image, stacked by the component that spends it."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixarray_analysis.plots.settings import AXIS_LABEL, labels_of, with_labels
from mixarray_analysis.plots.style import HATCHES, colour, open_axes, style

SHOWN = ["accelerator", "ratio", "component", "energy_uj"]


def component_words(component: str) -> str:
    """A component of an accelerator as people call it: `dram_channels.0` is DRAM, a second array is `array 2`."""
    kind, _, which = component.partition(".")
    if kind == "buffers":
        return f"{which.replace('_', ' ')} buffer"
    words = {"arrays": "array", "vector_units": "vector unit", "dram_channels": "DRAM"}.get(kind, component)
    return f"{words} {int(which) + 1}" if which.isdecimal() and int(which) > 0 else words


def plot_energy(energy: pd.DataFrame, ax: Axes | None = None) -> tuple[Figure, Axes]:
    """Stacked bars, one per (accelerator, setting), accelerators side by side; `energy` has the columns of SHOWN.

    It may have `pruning` and `setting` beside them.
    """
    energy = with_labels(energy)
    accelerators = list(dict.fromkeys(energy["accelerator"]))
    settings = labels_of(energy)
    components = list(dict.fromkeys(energy["component"]))
    spent: dict[tuple[str, str, str], float] = {}
    columns = ["accelerator", "label", "component", "energy_uj"]
    for name, setting, component, energy_uj in energy[columns].to_numpy().tolist():
        key = name, setting, component
        spent[key] = spent.get(key, 0.0) + energy_uj
    present = {(name, setting) for name, setting, _ in spent}
    bars = [(name, setting) for name in accelerators for setting in settings if (name, setting) in present]
    places = [settings.index(setting) + accelerators.index(name) * (len(settings) + 1) for name, setting in bars]
    with style():
        figure, ax = open_axes(ax)
        bottoms = [0.0] * len(bars)
        for index, component in enumerate(components):
            heights = [spent.get((*bar, component), 0.0) for bar in bars]
            ax.bar(
                places,
                heights,
                0.8,
                bottom=bottoms,
                label=component_words(component),
                color=colour(index),
                hatch=HATCHES[index % len(HATCHES)],
                edgecolor="white",
            )
            bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]
        ax.set_xticks(places, [setting for _, setting in bars])
        for number, name in enumerate(accelerators):
            centre = number * (len(settings) + 1) + (len(settings) - 1) / 2
            ax.text(centre, 1.01, name, transform=ax.get_xaxis_transform(), ha="center", va="bottom", fontsize=8)
        ax.set_xlabel(AXIS_LABEL)
        ax.set_ylabel("energy per image, batch 1 (µJ)")
        figure.legend(loc="outside right upper", fontsize=8, reverse=True)
    return figure, ax
