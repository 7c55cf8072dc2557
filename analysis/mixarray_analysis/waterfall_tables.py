"""An explanation as tables for the terminal, rows for CSV and pictures, and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from mixarray.result.totals import plain
from mixarray_analysis.explaining import Explanation
from mixarray_analysis.plain_table import PlainTable
from mixarray_analysis.sentence import words_for
from mixarray_analysis.tables import make_table
from mixarray_analysis.waterfall import Step
from mixarray_analysis.waterfall_sentences import tell

SCHEMA_VERSION = "1.0"
COLUMNS = (
    "accelerator", "step", "name", "adds", "cycles_against", "cycles", "speedup", "bar", "bar_reverse", "bar_low",
    "bar_high",
)  # fmt: skip
"""Columns of waterfall.csv. Cycles are means per image; speedup: cycles_against / cycles; bars: changes of it."""

Row = tuple[str | int | float, ...]


def waterfall_rows(found: Sequence[Explanation]) -> list[Row]:
    """One row per accelerator and step, with the columns of COLUMNS."""
    return [_row(one.subject.accelerator.name, step) for one in found for step in one.waterfall.steps]


def _row(accelerator: str, step: Step) -> Row:
    cycles = plain(step.against_cycles), plain(step.cycles)
    ratios = (step.speedup, step.bar, step.reverse_bar, *step.range)
    return accelerator, step.number, step.name, step.adds, *cycles, *map(float, ratios)


def waterfall_table(found: Explanation) -> PlainTable:
    """The steps of one waterfall."""
    headings = ["step", "", "what it adds", "cycles against", "cycles", "speedup", "bar", "bar in either order"]
    rows = []
    for step in found.waterfall.steps:
        low, high = (f"{float(value):+.3f}" for value in step.range)
        bars = ["", ""] if step.number == 0 else [f"{float(step.bar):+.3f}", f"{low} to {high}"]
        cycles = [_count(step.against_cycles), _count(step.cycles)]
        rows.append([str(step.number), step.name, step.adds, *cycles, f"{float(step.speedup):.3f}x", *bars])
    return make_table(headings, rows, title=found.subject.accelerator.name, folds=2, left=(0, 1, 2))


def attribution_table(found: Explanation) -> PlainTable:
    """Cycles of both critical chains by unit and kind, the largest of the run first; each column sums to its total."""
    before, after = found.before.attributed_cycles, found.after.attributed_cycles
    rows = []
    for key in _keys(found):
        one, two = before.get(key, 0), after.get(key, 0)
        share = 100 * two / found.after.total_cycles
        rows.append([key[0], words_for(key[1]), f"{one:,.0f}", f"{two:,.0f}", f"{share:.1f}", f"{two - one:+,.0f}"])
    headings = ["unit", "where the cycles went", "cycles against", "cycles", "%", "difference"]
    return make_table(headings, rows, folds=1, left=(0, 1))


def _keys(found: Explanation) -> list[tuple[str, str]]:
    before, after = found.before.attributed_cycles, found.after.attributed_cycles
    return sorted(set(before) | set(after), key=lambda key: (-after.get(key, 0), -before.get(key, 0), key))


def explanation_values(found: Sequence[Explanation]) -> dict[str, Any]:
    """The content of explain.json."""
    return {"schema_version": SCHEMA_VERSION, "explanations": [_values(one) for one in found]}


def _values(found: Explanation) -> dict[str, Any]:
    subject = found.subject
    names = COLUMNS[1:]
    return {
        "accelerator": subject.accelerator.name,
        "source": subject.name,
        "against": found.against,
        "images": found.images,
        "trace_sha256": subject.bundle.sha256,
        "execution_sha256": found.execution_sha256,
        "sentences": list(tell(found)),
        "waterfall": [dict(zip(names, row[1:], strict=True)) for row in waterfall_rows([found])],
        "attribution": [
            {
                "unit": unit,
                "kind": kind,
                "cycles_against": found.before.attributed_cycles.get((unit, kind), 0),
                "cycles": found.after.attributed_cycles.get((unit, kind), 0),
            }
            for unit, kind in _keys(found)
        ],
        "busy": [
            {"step": int(effect), "cycles_against": plain(before), "cycles": plain(after)}
            for effect, (before, after) in sorted(found.busy.items())
            if before or after
        ],
    }


def _count(cycles: Fraction) -> str:
    return f"{float(cycles):,.0f}"
