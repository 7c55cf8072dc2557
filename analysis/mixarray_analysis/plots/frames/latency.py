"""Latency by cause: the critical chain of each run, divided among units and kinds of work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mixarray.errors import InputError
from mixarray_analysis.plots.frames.runs import read_runs
from mixarray_analysis.sentence import words_for

COLUMNS = ["accelerator", "run", "cause", "kinds", "cycles", "latency_ms"]
MOST_CAUSES = 7
"""More would be slivers, and hard to tell apart."""
REST = "everything else"


def latency_frame(sources: Sequence[Path], most: int = MOST_CAUSES) -> pd.DataFrame:
    """One row per run and cause (COLUMNS): cycles of the critical chain and what they take; they sum to the latency.

    The `most` causes with the most cycles in any run keep their names, the others are added up; `kinds` counts the
    (unit, kind) pairs of each. Raises InputError where a run was written without its timeline.
    """
    rows: list[tuple[str, str, str, float, float]] = []
    for run in read_runs(sources):
        result = run.result
        if not result.attribution:
            raise InputError(str(run.path), "has no attribution; simulate it again with this version", "attribution")
        ms_per_cycle = result.totals.latency_ms / result.totals.cycles
        rows += [
            (result.accelerator, run.label, words_for(one.kind.value), one.cycles, one.cycles * ms_per_cycle)
            for one in result.attribution
        ]
    frame = pd.DataFrame(rows, columns=["accelerator", "run", "cause", "cycles", "latency_ms"])
    largest = frame.groupby(["accelerator", "run", "cause"])["cycles"].sum().groupby("cause").max()
    named = largest.sort_values(ascending=False, kind="stable").index[:most].tolist()
    order = [*named, REST]
    frame["cause"] = frame["cause"].where(frame["cause"].isin(named), REST)
    grouped = frame.groupby(["accelerator", "run", "cause"], sort=False)
    summed = grouped.agg(kinds=("cycles", "size"), cycles=("cycles", "sum"), latency_ms=("latency_ms", "sum"))
    bars = list(dict.fromkeys(zip(frame["accelerator"], frame["run"], strict=True)))
    every = [(*bar, cause) for bar in bars for cause in order if (*bar, cause) in summed.index]
    return summed.loc[every].reset_index()[COLUMNS]
