"""The points of a sweep as one frame, whichever form of the sweep made them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mixarray.errors import InputError
from mixarray_analysis.plots.sources import SourceKind, kind_of
from mixarray_analysis.summary import read_summary

VARYING = ("model", "input_height_px", "input_width_px")
"""What may differ between the networks of a sweep."""
MOST_SERIES = 8
"""Colours of the palette; more would repeat one."""
MOST_SETTINGS = 12
"""Groups of bars."""


def read_points(source: Path, where: Sequence[str] = ()) -> pd.DataFrame:
    """The rows of a sweep or demo with a column `series`: the accelerator with what was set on it.

    `network` names the model and its input size, and is empty where there is one. Of a sweep of a specification the
    points that are done. `where` keeps rows by `column=value`. InputError where none is left.
    """
    sweep = kind_of(source) is SourceKind.SWEEP
    points = _done(source) if sweep else read_summary(source)
    for condition in where:
        points = _kept(points, condition)
    points = points.reset_index(drop=True)
    return _named(points) if sweep else points.assign(series=points["accelerator"], network="")


def _kept(points: pd.DataFrame, condition: str) -> pd.DataFrame:
    column, equals, value = condition.partition("=")
    columns = ", ".join(points.columns)
    if not equals:
        raise InputError("--where", f"{condition!r} is not COLUMN=VALUE; columns: {columns}")
    if column not in points:
        raise InputError("--where", f"no such column; there are {columns}", column)
    known = points[column]
    if pd.api.types.is_numeric_dtype(known):
        try:
            wanted = known == float(value)
        except ValueError:
            raise InputError("--where", f"{value!r} is not a number", column) from None
    else:
        wanted = known.astype(str) == value
    if not wanted.any():
        some = ", ".join(map(str, known.drop_duplicates().head(8)))
        raise InputError("--where", f"no point has {value!r}; there are {some}", column)
    return points[wanted]


def _done(source: Path) -> pd.DataFrame:
    """The points of a sweep of a specification that are done, with the columns of its data set."""
    from mixarray_analysis.sweeps.api import read_sweep

    points = read_sweep(source).to_pandas()
    done = points[points["status"] == "done"].reset_index(drop=True)
    if done.empty:
        reasons = points["error"].dropna()
        why = f": {reasons.iloc[0]}" if len(reasons) else " yet"
        raise InputError(str(source), f"no point is done{why}", "status")
    return done


def _named(done: pd.DataFrame) -> pd.DataFrame:
    overrides = done["overrides"].fillna("")
    series = (done["accelerator"] + " " + overrides).str.strip()
    several = len(done[list(VARYING)].drop_duplicates()) > 1
    sizes = done["input_height_px"].astype(str) + "x" + done["input_width_px"].astype(str)
    return done.assign(series=series, network=(done["model"] + " " + sizes) if several else "")


def with_speedups(points: pd.DataFrame, source: Path) -> pd.DataFrame:
    """The points that have speedups over ratio 0; InputError where none has, with what stands in the way."""
    found = points[points["simulated_speedup"].notna()].reset_index(drop=True)
    if found.empty:
        reasons = points["error"].dropna() if "error" in points else pd.Series(dtype=str)
        why = f" ({reasons.iloc[0]})" if len(reasons) else ""
        raise InputError(str(source), f"no point has a speedup{why}; sweep ratio 0 beside the others", "ratio")
    return found


def check_few(shown: pd.DataFrame, source: Path) -> None:
    """InputError where a frame has more series, or more settings beside each other, than a picture tells apart."""
    for column, most in (("series", MOST_SERIES), ("label", MOST_SETTINGS)):
        found = shown[column].nunique() if column in shown else 0
        if found > most:
            message = f"{found:,} do not stay apart in a picture, which shows at most {most}; choose some with --where"
            raise InputError(str(source), message, column)
