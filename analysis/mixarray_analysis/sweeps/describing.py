"""What a sweep says on a terminal: what it would do, and what it has done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mixarray_analysis.progress import rate_text
from mixarray_analysis.sweeps.directory import Findings, counts_of
from mixarray_analysis.sweeps.reasons import reasons_data, reasons_lines
from mixarray_analysis.sweeps.rows import FAILED
from mixarray_analysis.sweeps.running import Looked
from mixarray_analysis.sweeps.store import POINTS

MOST_REASONS = 20


def looked_lines(looked: Looked) -> list[str]:
    """The answer of `--dry-run`."""
    repeated = f", {looked.repeated:,} asked for again" if looked.repeated else ""
    refused = looked.asked - looked.to_run - looked.repeated
    lines = [f"{looked.asked:,} points: {looked.to_run:,} to run, {refused:,} refused{repeated}"]
    lines += [f"  {text}" for text in looked.shown]
    if looked.to_run > len(looked.shown):
        lines.append(f"  and {looked.to_run - len(looked.shown):,} more")
    return [*lines, *reasons_lines("refused", looked.refused, MOST_REASONS)]


def looked_data(looked: Looked) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "asked": looked.asked,
        "to_run": looked.to_run,
        "repeated": looked.repeated,
        "refused": reasons_data(looked.refused),
        "shown": list(looked.shown),
    }


def ran_lines(findings: Findings, computed: int, seconds: float, out: Path) -> list[str]:
    """The answer of a sweep into the directory `out`."""
    counts = counts_of(findings)
    rows = findings.done + findings.failed
    said = ", ".join(f"{counts[name]:,} {name}" for name in ("failed", "refused", "repeated") if counts[name])
    rate = f" in {seconds:.1f} s, {rate_text(computed / seconds)} points/s" if computed else ""
    lines = [
        f"{counts['asked']:,} points: {rows:,} rows" + (f"; {said}" if said else ""),
        f"{computed:,} computed now{rate}; {rows - computed:,} were finished before",
    ]
    if findings.failed:
        lines += reasons_lines("failed", findings.errors, MOST_REASONS)
        lines.append(f"their rows have the status {FAILED}, in {out / POINTS}")
    return [*lines, *reasons_lines("refused", findings.refused, MOST_REASONS)]


def ran_data(findings: Findings, computed: int) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        **counts_of(findings),
        "computed": computed,
        "refused_because": reasons_data(findings.refused),
        "failed_because": reasons_data(findings.errors),
    }
