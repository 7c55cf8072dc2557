"""Energy per image, stacked by the component that spends it."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    """Stacked bars, one per (accelerator, ratio), accelerators side by side; `energy` has the columns of SHOWN."""
    accelerators = list(dict.fromkeys(energy["accelerator"]))
    ratios = sorted(energy["ratio"].unique())
    components = list(dict.fromkeys(energy["component"]))
    spent: dict[tuple[str, float, str], float] = {}
    for name, ratio, component, energy_uj in energy[SHOWN].to_numpy().tolist():
        key = name, ratio, component
        spent[key] = spent.get(key, 0.0) + energy_uj
    present = {(name, ratio) for name, ratio, _ in spent}
    bars = [(name, ratio) for name in accelerators for ratio in ratios if (name, ratio) in present]
    places = [ratios.index(ratio) + accelerators.index(name) * (len(ratios) + 1) for name, ratio in bars]
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
        ax.set_xticks(places, [f"{100 * ratio:g}" for _, ratio in bars])
        for number, name in enumerate(accelerators):
            centre = number * (len(ratios) + 1) + (len(ratios) - 1) / 2
            ax.text(centre, 1.01, name, transform=ax.get_xaxis_transform(), ha="center", va="bottom", fontsize=8)
        ax.set_xlabel("windows at low bits, nominal (%)")
        ax.set_ylabel("energy per image, batch 1 (µJ)")
        figure.legend(loc="outside right upper", fontsize=8, reverse=True)
    return figure, ax
