"""Speedup bars: what BOPs promise beside what each accelerator delivers."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixarray_analysis.plots.settings import AXIS_LABEL, columns_of, labels_of, with_labels
from mixarray_analysis.plots.style import GREY, HATCHES, colour, open_axes, style


def speedup_shown(summary: pd.DataFrame) -> pd.DataFrame:
    """The numbers of the plot: the setting's columns, series (`BOPs` or an accelerator), speedup."""
    setting = columns_of(summary)
    promised = summary.drop_duplicates(setting)[[*setting, "bops_speedup"]]
    promised = promised.rename(columns={"bops_speedup": "speedup"}).assign(series="BOPs")
    simulated = summary[[*setting, "simulated_speedup", "accelerator"]]
    simulated = simulated.rename(columns={"simulated_speedup": "speedup", "accelerator": "series"})
    return pd.concat([promised, simulated], ignore_index=True)[[*setting, "series", "speedup"]]


def plot_speedup(summary: pd.DataFrame, ax: Axes | None = None) -> tuple[Figure, Axes]:
    """Grouped bars over the ratio; `summary` has accelerator, ratio, bops_speedup, simulated_speedup."""
    shown = with_labels(speedup_shown(summary))
    settings = labels_of(shown)
    series = list(dict.fromkeys(shown["series"]))
    with style():
        figure, ax = open_axes(ax)
        width = 0.8 / len(series)
        for index, name in enumerate(series):
            part = shown[shown["series"] == name].set_index("label")["speedup"]
            places = [place + (index - (len(series) - 1) / 2) * width for place, s in enumerate(settings) if s in part]
            heights = [float(part[setting]) for setting in settings if setting in part]
            label = "promised: BOPs of the blocks" if name == "BOPs" else f"simulated: {name}"
            fill = GREY if name == "BOPs" else colour(index - 1)
            bars = ax.bar(
                places, heights, width, label=label, color=fill, hatch=HATCHES[index % len(HATCHES)], edgecolor="white"
            )
            ax.bar_label(bars, fmt="%.2f", fontsize=max(4.5, 7.5 - len(series) / 2), padding=1)
        ax.axhline(1, color="black", linewidth=0.8)
        ax.set_xticks(range(len(settings)), settings)
        ax.set_xlabel(AXIS_LABEL)
        ax.set_ylabel("speedup over ratio 0 (x)")
        ax.set_ylim(0, 1.08 * float(shown["speedup"].max()))
        figure.legend(loc="outside upper left", ncols=min(3, len(series)), fontsize=8)
    return figure, ax
