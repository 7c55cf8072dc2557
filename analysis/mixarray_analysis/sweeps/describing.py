"""What a sweep says on a terminal: what it would do, and what it has done."""

from __future__ import annotations

from typing import Any

from mixarray_analysis.progress import rate_text
from mixarray_analysis.sweeps.directory import Findings, counts_of, refused_data
from mixarray_analysis.sweeps.refused import Refusals
from mixarray_analysis.sweeps.running import Looked

MOST_REASONS = 20


def looked_lines(looked: Looked) -> list[str]:
    """The answer of `--dry-run`."""
    left = looked.asked - sum(one.count for one in looked.refused.values()) - looked.repeated
    repeated = f", {looked.repeated:,} asked for again" if looked.repeated else ""
    refused = sum(one.count for one in looked.refused.values())
    lines = [f"{looked.asked:,} points: {left:,} to run, {refused:,} refused{repeated}"]
    lines += [f"  {text}" for text in looked.shown]
    if left > len(looked.shown):
        lines.append(f"  and {left - len(looked.shown):,} more")
    return [*lines, *_refused_lines(looked.refused)]


def looked_data(looked: Looked) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "asked": looked.asked,
        "repeated": looked.repeated,
        "refused": refused_data(looked.refused),
        "shown": list(looked.shown),
    }


def ran_lines(findings: Findings, computed: int, seconds: float) -> list[str]:
    """The answer of a sweep."""
    counts = counts_of(findings)
    rows = findings.done + findings.failed
    said = ", ".join(f"{counts[name]:,} {name}" for name in ("failed", "refused", "repeated") if counts[name])
    rate = f" in {seconds:.1f} s, {rate_text(computed / seconds)} points/s" if computed else ""
    lines = [
        f"{counts['asked']:,} points: {rows:,} rows" + (f"; {said}" if said else ""),
        f"{computed:,} computed now{rate}; {rows - computed:,} were finished before",
    ]
    return [*lines, *_refused_lines(findings.refused)]


def ran_data(findings: Findings, computed: int) -> dict[str, Any]:
    """The same as JSON values."""
    return {**counts_of(findings), "computed": computed, "refused_because": refused_data(findings.refused)}


def _refused_lines(refused: Refusals) -> list[str]:
    data = refused_data(refused)
    lines = [f"refused {one['points']:,}: {one['example']}\n  first: {one['point']}" for one in data[:MOST_REASONS]]
    return [*lines, *([f"and {len(data) - MOST_REASONS} more reasons"] if len(data) > MOST_REASONS else [])]
