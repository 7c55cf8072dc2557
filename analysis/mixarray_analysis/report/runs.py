"""One run for its page: everything in its files, and which command makes what is not there."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mixarray.accelerator.write import resolved_yaml
from mixarray.errors import InputError
from mixarray.result.glossary import LAYER_COLUMNS
from mixarray_analysis.comparing import Run
from mixarray_analysis.report.headline import headline
from mixarray_analysis.report.sources import Explanation
from mixarray_analysis.report.timeline import timeline_data
from mixarray_analysis.report.windows import windows_data

LAYERS = "layers.parquet"


def run_data(run: Run, explanation: Explanation | None, image: int | None, picture: Path | None) -> dict[str, Any]:
    """What the page holds of one run. `missing`: by part that is not there, why, or what makes it.

    image, picture: of the window maps. InputError where a file of the run is broken, or an option does not fit.
    """
    place = Path(run.name)
    windows, timeline = windows_data(place, image, picture), timeline_data(place)
    missing = {}
    if explanation is None:
        missing["waterfall"] = _no_waterfall(run)
    if timeline is None:
        missing["timeline"] = "This run kept no timeline: repeat the command that made it with --timeline --force."
    if isinstance(windows, str):
        missing["windows"] = f"No window maps: {windows}."
    return {
        "name": run.name,
        "headline": headline(run.result),
        "run": run.result.model_dump(mode="json"),
        "layers": layers_data(place),
        "waterfall": explanation,
        "timeline": timeline,
        "windows": None if isinstance(windows, str) else windows,
        "config": resolved_yaml(run.accelerator),
        "missing": missing,
    }


def layers_data(place: Path) -> dict[str, Any]:
    """`layers.parquet` as columns and rows; InputError where it is broken or lacks a column."""
    file = place / LAYERS
    try:
        table = pq.read_table(file, columns=list(LAYER_COLUMNS))
        columns = [table[name].to_pylist() for name in LAYER_COLUMNS]
    except (OSError, KeyError, pa.ArrowException) as error:
        raise InputError(str(file), f"cannot be read as the layers of a run: {error}") from None
    return {"columns": list(LAYER_COLUMNS), "rows": [list(row) for row in zip(*columns, strict=True)]}


def _no_waterfall(run: Run) -> str:
    if run.result.trace is None:
        return f"No waterfall: only runs of a bundle are explained, and this one is of {run.result.source}."
    explain = f"mixarray explain {quote(run.name)} -o EXPLANATION"
    return f"Made by: {explain}; then name that directory beside the run: mixarray report {quote(run.name)} EXPLANATION"
