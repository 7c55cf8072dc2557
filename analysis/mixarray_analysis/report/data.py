"""Everything that a page holds, as plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mixarray import __version__
from mixarray.result.glossary import LAYER_COLUMNS
from mixarray.result.run import Speedup
from mixarray.result.totals import Totals
from mixarray_analysis import comparing_text as text
from mixarray_analysis.comparing import Comparison
from mixarray_analysis.comparing_sentence import describe_pair
from mixarray_analysis.plots.style import OKABE_ITO
from mixarray_analysis.plots.waterfall import ARRIVED, GAIN, LOSS
from mixarray_analysis.plots.windows import TINTS
from mixarray_analysis.report.points import POINT_COLUMNS, sweep_data
from mixarray_analysis.report.runs import run_data
from mixarray_analysis.report.sources import Sources
from mixarray_analysis.sentence import WORDS

SCHEMA_VERSION = "1.0"


def report_data(sources: Sources, image: int | None = None, picture: Path | None = None) -> dict[str, Any]:
    """The data of a page; `image` and `picture` are of the window maps.

    Equal sources give equal values. InputError where a file is broken, or an option does not fit.
    """
    sweeps = [sweep_data(path) for path in sources.sweeps]
    return {
        "schema_version": SCHEMA_VERSION,
        "mixarray": __version__,
        "runs": [run_data(run, sources.explanation_of(run), image, picture) for run in sources.runs],
        "comparison": _comparison(sources) if sources.comparisons else None,
        "sweeps": sweeps,
        "glossary": _glossary(sources, sweeps),
        "words": WORDS,
        "colours": {
            "series": list(OKABE_ITO),
            "tints": {str(bits): colour for bits, colour in TINTS.items()},
            **{"loss": LOSS, "gain": GAIN, "arrived": ARRIVED},
        },
    }


def _glossary(sources: Sources, sweeps: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, str]]:
    """By part of the page: what the columns on it mean, with units."""
    of_runs = {"totals": _described(Totals), "speedups": _described(Speedup), "layers": LAYER_COLUMNS}
    there = {column for sweep in sweeps for column in sweep["columns"]}
    of_points = {"points": {name: text for name, text in POINT_COLUMNS.items() if name in there}}
    return {**(of_runs if sources.runs else {}), **(of_points if sweeps else {})}


def _described(model: type[Totals] | type[Speedup]) -> Mapping[str, str]:
    return {name: field.description or "" for name, field in model.model_fields.items()}


def _comparison(sources: Sources) -> dict[str, Any]:
    """The tables of `mixarray compare`, and the sentence of every pair."""
    return {
        "time": {"headings": text.TIME_HEADINGS, "rows": [text.time_cells(run) for run in sources.runs]},
        "cost": {"headings": text.COST_HEADINGS, "rows": [text.cost_cells(run) for run in sources.runs]},
        "pairs": [_pair(comparison) for comparison in sources.comparisons],
    }


def _pair(comparison: Comparison) -> dict[str, Any]:
    return {
        "first": comparison.first.name,
        "second": comparison.second.name,
        "sentence": describe_pair(comparison),
        "headings": text.PAIR_HEADINGS,
        "rows": text.pair_cells(comparison) if comparison.outcomes else [],
    }
