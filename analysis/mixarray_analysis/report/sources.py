"""What a report is of: runs, sweeps, and explanations of the runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixarray.errors import InputError
from mixarray_analysis.comparing import Comparison, Run, compare_runs, read_for_comparison
from mixarray_analysis.plots.sources import FILES, MADE_BY, SourceKind, kind_of

Explanation = Mapping[str, Any]
"""One entry of `explain.json`, with the fields NEEDED."""
NEEDED = ("accelerator_sha256", "trace_sha256", "execution_sha256", "against", "sentences", "waterfall")
ALLOWED = (SourceKind.RUN, SourceKind.SUMMARY, SourceKind.SWEEP, SourceKind.EXPLANATION)


@dataclass(frozen=True, slots=True)
class Sources:
    """What was given, by kind, in the order given. comparisons: every pair of the runs."""

    runs: tuple[Run, ...]
    comparisons: tuple[Comparison, ...]
    sweeps: tuple[Path, ...]
    explanations: tuple[Explanation, ...]

    def explanation_of(self, run: Run) -> Explanation | None:
        """The explanation of a run that has its machine, its trace and its counters; None where none was given."""
        return next((one for one in self.explanations if _explains(one, run)), None)


def read_sources(paths: Sequence[Path]) -> Sources:
    """Read the directories of a report.

    InputError where one is none of ALLOWED or is given twice, where there is neither a run nor a sweep, where an
    explanation is of none of the runs, or where the runs cannot be compared.
    """
    if len({path.resolve() for path in paths}) < len(paths):
        raise InputError("report", "the same source stands twice")
    kinds = {path: kind_of(path) for path in paths}
    for path, kind in kinds.items():
        if kind not in ALLOWED:
            allowed = ", ".join(f"{one.value} ({MADE_BY[one]})" for one in ALLOWED)
            raise InputError(str(path), f"is a {kind.value}; a report is of: {allowed}")
    places = [path for path in paths if kinds[path] is SourceKind.RUN]
    explained = [path for path in paths if kinds[path] is SourceKind.EXPLANATION]
    sweeps = [path for path in paths if kinds[path] in (SourceKind.SUMMARY, SourceKind.SWEEP)]
    if not places and not sweeps:
        raise InputError("report", "needs a run or a sweep")
    runs, comparisons = _runs(places)
    entries = {path: _entries(path) for path in explained}
    for path, found in entries.items():
        if not any(_explains(entry, run) for entry in found for run in runs):
            raise InputError(str(path), "explains none of the runs given (by hashes of machine, trace and counters)")
    return Sources(runs, comparisons, tuple(sweeps), tuple(entry for found in entries.values() for entry in found))


def _runs(places: Sequence[Path]) -> tuple[tuple[Run, ...], tuple[Comparison, ...]]:
    return compare_runs(places) if len(places) > 1 else (tuple(map(read_for_comparison, places)), ())


def _explains(entry: Explanation, run: Run) -> bool:
    result = run.result
    ours = result.accelerator_sha256, result.trace_sha256, result.execution_sha256
    return ours == (entry["accelerator_sha256"], entry["trace_sha256"], entry["execution_sha256"])


def _entries(directory: Path) -> list[Explanation]:
    file = directory / FILES[SourceKind.EXPLANATION]
    try:
        entries: list[Explanation] = json.loads(file.read_text(encoding="utf-8"))["explanations"]
        for entry in entries:
            for field in NEEDED:
                entry[field]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(str(file), f"is no explanation of this version of mixarray: {error!r}") from None
    return entries
