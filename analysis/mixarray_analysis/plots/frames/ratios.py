"""Speedup against the share of low windows: what BOPs promise, and what each accelerator delivers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mixarray_analysis.plots.frames.points import read_points, with_speedups

COLUMNS = ["series", "network", "setting", "low_percent", "pruned_percent", "speedup"]
PROMISED = "BOPs"


def ratios_frame(source: Path, where: Sequence[str] = ()) -> pd.DataFrame:
    """One row per series and point (COLUMNS): shares of windows that ran, and the speedup over ratio 0.

    The series `BOPs` has every network and setting once.
    """
    points = with_speedups(read_points(source, where), source)
    points = points.assign(low_percent=100 * points["ratio_actual"], pruned_percent=100 * points["pruning_actual"])
    promised = points.drop_duplicates(["network", "setting"])
    promised = promised.assign(series=PROMISED, speedup=promised["bops_speedup"])
    every = pd.concat([promised, points.assign(speedup=points["simulated_speedup"])], ignore_index=True)
    order = {name: place for place, name in enumerate(dict.fromkeys(every["series"]))}
    ranked = every.assign(place=every["series"].map(order)).sort_values(
        ["place", "network", "pruned_percent", "low_percent"], kind="stable"
    )
    return ranked[COLUMNS].reset_index(drop=True)
