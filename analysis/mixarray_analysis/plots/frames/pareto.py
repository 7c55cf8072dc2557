"""Accuracy against what it costs: bit operations, simulated latency, energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from mixarray.errors import InputError
from mixarray_analysis.plots.frames.points import read_points
from mixarray_analysis.plots.names import Cost
from mixarray_analysis.plots.sources import MADE_BY, SourceKind, kind_of
from mixarray_analysis.search.front import Trade, front_of
from mixarray_analysis.search.results import read_found

COLUMN_OF = {Cost.BOPS: "relative_bops", Cost.LATENCY: "latency_ms", Cost.ENERGY: "energy_uj"}
MEASURED = ["accuracy", "accuracy_low", "accuracy_high", "n"]
COLUMNS = ["series", "setting", "ratio", *COLUMN_OF.values(), *MEASURED, *(f"on_front_{cost}" for cost in Cost)]


def pareto_frame(source: Path, where: Sequence[str] = ()) -> pd.DataFrame:
    """One row per point with an accuracy (COLUMNS), of a sweep of ratios, a demo or a search.

    ratio: share of low windows, nominal (of a search: that ran). relative_bops: over ratio 0. on_front_*: no other
    point of its series costs at most as much and is more accurate. InputError where nothing was evaluated.
    """
    points = _of_search(source) if kind_of(source) is SourceKind.SEARCH else _of_summary(source, where)
    for cost, column in COLUMN_OF.items():
        best = {name: set(front_of(_trades(part, column))) for name, part in points.groupby("series", sort=False)}
        trades = _trades(points, column)
        points[f"on_front_{cost}"] = [trade in best[name] for name, trade in zip(points["series"], trades, strict=True)]
    return points[COLUMNS].reset_index(drop=True)


def _trades(points: pd.DataFrame, column: str) -> list[Trade]:
    return [Trade(*pair) for pair in zip(points[column], points["accuracy"], strict=True)]


def _of_summary(source: Path, where: Sequence[str]) -> pd.DataFrame:
    points = read_points(source, where)
    measured = points[points["accuracy"].notna()] if "accuracy" in points else points.head(0)
    if measured.empty:
        made = f"{MADE_BY[SourceKind.SUMMARY]} evaluates the model at each ratio, {MADE_BY[SourceKind.SEARCH]} too"
        raise InputError(str(source), f"nothing was evaluated, so there is no accuracy to draw; {made}", "accuracy")
    return measured.assign(relative_bops=1 / measured["bops_speedup"])


def _of_search(source: Path) -> pd.DataFrame:
    found = read_found(source)
    rows = pd.DataFrame([asdict(row) for row in (found.baseline, *found.front)]).drop_duplicates("genes")
    name = f"{found.settings.accelerator}, searched on {found.settings.objective.value}"
    return rows.assign(
        series=name,
        setting=rows["compression"],
        ratio=rows["low_actual"],
        relative_bops=rows["bops"] / found.baseline.bops,
    )
