"""The points of a sweep for its page: rows, what they can be good in, the machines and where the numbers come from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from mixarray.errors import InputError
from mixarray_analysis.plots.frames.points import read_points
from mixarray_analysis.report.fronts import OBJECTIVES, chosen_points, costs_of
from mixarray_analysis.report.headline import sweep_headline
from mixarray_analysis.report.provenance import findings_of, provenance_data
from mixarray_analysis.report.sweep_runs import SweepRun, run_to_show, runs_of
from mixarray_analysis.report.sweep_summary import summary_data
from mixarray_analysis.sweeps.glossary import SWEEP_COLUMNS

MOST_POINTS = 3000
"""Points of a sweep on a page."""
ACCURACY_COLUMNS: Mapping[str, str] = {
    "accuracy": "AP50, 0 to 1; empty where nothing was evaluated",
    "accuracy_low": "low end of its 95 % bootstrap interval",
    "accuracy_high": "high end of its 95 % bootstrap interval",
    "n": "canvases the accuracy is taken on",
}
"""Columns that a sweep without a specification has beside those of the glossary."""
UNSHOWN = ("content", "status", "error", "network")
POINT_COLUMNS: Mapping[str, str] = {
    "series": "accelerator with what was set on it",
    **{name: text for name, text in SWEEP_COLUMNS.items() if name not in UNSHOWN},
    **ACCURACY_COLUMNS,
}


def sweep_data(path: Path, most: int = MOST_POINTS) -> dict[str, Any]:
    """What the page holds of one sweep; at most `most` points, the fronts of all pairs of OBJECTIVES among them.

    InputError where no point is done, or its fronts alone are too many.
    """
    points, runs, findings = read_points(path), runs_of(path), findings_of(path)
    frame = points.drop(columns=list(UNSHOWN), errors="ignore")
    objectives = {name: better for name, better in OBJECTIVES.items() if name in frame and frame[name].notna().any()}
    costs = {name: costs_of(frame[name].to_numpy(np.float64), better) for name, better in objectives.items()}
    try:
        kept = chosen_points(costs, len(frame), most)
    except ValueError as error:
        raise InputError(str(path), f"cannot be shown: {error}; sweep less") from None
    return {
        "name": str(path),
        "headline": sweep_headline(points, path),
        "summary": summary_data(path, points, runs, findings),
        "columns": list(frame.columns),
        "rows": [[_cell(value) for value in row] for row in frame.iloc[kept].astype(object).to_numpy().tolist()],
        "finished": len(frame),
        "objectives": {name: better.value for name, better in objectives.items()},
        "configs": _configs(path),
        "provenance": provenance_data(path, runs, findings),
        "missing": _no_run(path, runs),
        "about": _about(path),
    }


def _no_run(path: Path, runs: Sequence[SweepRun]) -> str:
    """Where a page of the sweep alone gets what is of a run."""
    start, place = "Waterfall, layers, windows and timeline are of a run.", run_to_show(runs)
    if place is None:
        return f"{start} Made by: mixarray simulate BUNDLE -o RUN; then: mixarray report {quote(str(path))} RUN"
    return f"{start} The sweep holds some; name one too: mixarray report {quote(str(path))} {quote(str(place))}"


def _configs(path: Path) -> dict[str, str]:
    """The resolved machine of every accelerator, as it lies beside the runs of a sweep without a specification."""
    files = sorted(path.glob("runs/*/*/accelerator.yaml"), reverse=True)
    found = {file.parent.parent.name: file.read_text(encoding="utf-8") for file in files}
    return dict(sorted(found.items()))


def _about(path: Path) -> str:
    """The specification of a sweep, what it came to and what ran it; nothing for one without a specification."""
    files = (path / name for name in ("sweep.json", "spec.json"))
    return next((file.read_text(encoding="utf-8") for file in files if file.is_file()), "")


def _cell(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
