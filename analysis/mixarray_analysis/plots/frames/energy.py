"""Energy of each run, by the component that spends it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mixarray_analysis.plots.frames.runs import read_runs

PJ_PER_UJ = 1e6
COLUMNS = ["accelerator", "run", "component", "energy_uj", "energy_low_uj", "energy_high_uj"]


def energy_frame(sources: Sequence[Path]) -> pd.DataFrame:
    """One row per run and component (COLUMNS), mean per image, with the ends that its constants' bands give."""
    rows = [
        (run.result.accelerator, run.label, component_words(one.component), one.pj, one.low_pj, one.high_pj)
        for run in read_runs(sources)
        for one in run.result.energy
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS).groupby(COLUMNS[:3], sort=False).sum() / PJ_PER_UJ
    return frame.reset_index()


def component_words(component: str) -> str:
    """A component of an accelerator as people call it: `dram_channels.0` is DRAM, a second array is `array 2`."""
    kind, _, which = component.partition(".")
    if kind == "buffers":
        return f"{which.replace('_', ' ')} buffer"
    words = {"arrays": "array", "vector_units": "vector unit", "dram_channels": "DRAM"}.get(kind, component)
    return f"{words} {int(which) + 1}" if which.isdecimal() and int(which) > 0 else words
