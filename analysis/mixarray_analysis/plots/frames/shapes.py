"""Utilization of array shapes: rows x columns of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mixarray.errors import InputError
from mixarray_analysis.plots.frames.points import read_points

COLUMNS = ["accelerator", "rows", "columns", "utilization", "least", "most", "points"]


def shapes_frame(source: Path, where: Sequence[str] = ()) -> pd.DataFrame:
    """One row per shape of the first array (COLUMNS): mean utilization of its points, with the least and the most.

    Raises InputError where the sweep has one shape, or the points are of several accelerators, whose mean would be of
    no machine.
    """
    points = read_points(source, where)
    names = list(dict.fromkeys(points["accelerator"]))
    if len(names) > 1:
        message = f"a mean over {', '.join(names)} is of no machine; choose one: --where accelerator={names[0]}"
        raise InputError("--where", message, "accelerator")
    grouped = points.groupby(["rows", "columns"])["utilization"]
    shapes = grouped.agg(utilization="mean", least="min", most="max", points="size").reset_index()
    if len(shapes) < 2:
        message = "has one array shape; sweep arrays.0.rows or arrays.0.columns"
        raise InputError(str(source), message, "arrays.0.rows")
    return shapes.assign(accelerator=names[0])[COLUMNS]
