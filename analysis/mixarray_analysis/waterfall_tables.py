"""An explanation as tables for the terminal, rows for CSV and pictures, and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from mixarray.accelerator.write import accelerator_sha256
from mixarray.result.totals import plain
from mixarray_analysis.explaining import Explanation
from mixarray_analysis.plain_table import PlainTable
from mixarray_analysis.sentence import words_for
from mixarray_analysis.tables import make_table
from mixarray_analysis.waterfall_sentences import tell
from mixarray_analysis.waterfall_steps import Step

SCHEMA_VERSION = "1.1"
COLUMNS = (
    "accelerator", "step", "name", "adds", "cycles_against", "cycles", "speedup", "cycles_against_reverse",
    "cycles_reverse", "bar", "bar_reverse", "bar_low", "bar_high",
)  # fmt: skip
"""Columns of waterfall.csv. Cycles are means per image; speedup: cycles_against / cycles; bars: changes of it.

`reverse`: with this step and those after it on, not those before it.
"""
ATTRIBUTION_COLUMNS = ("accelerator", "operator", "unit", "kind", "cycles_against", "cycles")
"""Columns of attribution.csv: cycles of both critical chains, means per image, of each operator, unit and kind."""
ADDS_FROM_WIDTH = 110
"""Columns of text from which on the table says what each step adds."""
ADDS_COLUMN = 2

Row = tuple[str | int | float, ...]


def waterfall_rows(found: Sequence[Explanation]) -> list[Row]:
    """One row per accelerator and step, with the columns of COLUMNS."""
    return [_row(one.subject.accelerator.name, step) for one in found for step in one.waterfall.steps]


def _row(accelerator: str, step: Step) -> Row:
    cycles = plain(step.against_cycles), plain(step.cycles)
    reverse = plain(step.reverse_against_cycles), plain(step.reverse_cycles)
    bars = step.bar, step.reverse_bar, *step.range
    return accelerator, step.number, step.name, step.adds, *cycles, float(step.speedup), *reverse, *map(float, bars)


def attribution_rows(found: Sequence[Explanation]) -> list[Row]:
    """One row per accelerator and owner, with the columns of ATTRIBUTION_COLUMNS, in the order of the operators."""
    return [
        (one.subject.accelerator.name, owner.operator, owner.unit, owner.kind, plain(before), plain(after))
        for one in found
        for owner, (before, after) in sorted(one.attributed.items())
    ]


def waterfall_table(found: Explanation, width: int) -> PlainTable:
    """The steps of one waterfall; what each adds only where there is room in `width` columns of text."""
    adds = width >= ADDS_FROM_WIDTH
    headings = ["step", "", "what it adds", "cycles against", "cycles", "speedup", "bar", "bar in either order"]
    rows = []
    for step in found.waterfall.steps:
        low, high = (f"{float(value):+.3f}" for value in step.range)
        bars = ["", ""] if step.number == 0 else [f"{float(step.bar):+.3f}", f"{low} to {high}"]
        cycles = [_count(step.against_cycles), _count(step.cycles)]
        rows.append([str(step.number), step.name, step.adds, *cycles, f"{float(step.speedup):.3f}x", *bars])
    title = found.subject.accelerator.name
    if adds:
        return make_table(headings, rows, title=title, folds=(1, 2, 7), left=(0, 1, 2))
    shorter = [[*row[:ADDS_COLUMN], *row[ADDS_COLUMN + 1 :]] for row in (headings, *rows)]
    return make_table(shorter[0], shorter[1:], title=title, folds=(1, 6), left=(0, 1))


def attribution_table(found: Explanation) -> PlainTable:
    """Cycles of both critical chains by unit and kind, the largest of the run first; each column sums to its total."""
    before, after = found.before.attributed_cycles, found.after.attributed_cycles
    rows = []
    for key in _keys(found):
        one, two = before.get(key, 0), after.get(key, 0)
        share = 100 * two / found.after.total_cycles
        rows.append([key[0], words_for(key[1]), f"{one:,.0f}", f"{two:,.0f}", f"{share:.1f}", f"{two - one:+,.0f}"])
    headings = ["unit", "where the cycles went", "cycles against", "cycles", "%", "difference"]
    return make_table(headings, rows, folds=(1,), left=(0, 1))


def _keys(found: Explanation) -> list[tuple[str, str]]:
    before, after = found.before.attributed_cycles, found.after.attributed_cycles
    return sorted(set(before) | set(after), key=lambda key: (-after.get(key, 0), -before.get(key, 0), key))


def explanation_values(found: Sequence[Explanation]) -> dict[str, Any]:
    """The content of explain.json."""
    return {"schema_version": SCHEMA_VERSION, "explanations": [_values(one) for one in found]}


def _values(found: Explanation) -> dict[str, Any]:
    subject, reference = found.subject, found.reference
    names = COLUMNS[1:]
    return {
        "accelerator": subject.accelerator.name,
        "mapping_search": subject.accelerator.mapping.search.value,
        "source": subject.name,
        "against": reference.name,
        "images": found.images,
        "accelerator_sha256": accelerator_sha256(subject.accelerator),
        "trace_sha256": subject.bundle.sha256,
        "execution_sha256": found.execution_sha256,
        "against_accelerator_sha256": accelerator_sha256(reference.accelerator),
        "against_trace_sha256": reference.bundle.sha256,
        "against_execution_sha256": found.against_execution_sha256,
        "machine_differs": [asdict(difference) for difference in found.machine_differs],
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
