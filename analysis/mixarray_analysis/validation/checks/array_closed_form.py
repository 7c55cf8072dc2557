"""Closed forms of design 5 against the event expansion: totals of random fold streams, both register dataflows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from mixarray.array import closed_form
from mixarray.array.output import expand_output
from mixarray.array.stationary import expand_stationary
from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases
from mixarray_analysis.validation.fold_streams import chooser, draw_output, draw_stationary

MUTANT_CASES = 60

LOADS, STEPS, TRAVEL = "fold.load_rows(array) * array", "fold.depth * array.row_load_cycles", "travel = array.rows"
FAULTS: Mapping[str, tuple[str, str]] = {
    "mean of the passes": (TRAVEL, "second = [sum(second) // len(second)] * len(second); travel = array.rows"),
    "drain dropped": (TRAVEL, "travel = 0 * array.rows"),
    "drained once under serial": ("travel * len(first)", "travel"),
    "load one row short": (LOADS, "(fold.load_rows(array) - 1) * array"),
    "all rows always loaded": (LOADS, "array.rows * array"),
    "a load row in one cycle": (f"{LOADS}.row_load_cycles", "fold.load_rows(array)"),
    "first load hidden": ("first[0] + sum(map", "sum(map"),
    "sum for the longer of load and stream": ("sum(map(max, second[:-1], first[1:]))", "sum(second[:-1] + first[1:])"),
    "an empty slot costs a pass": (
        "fold.passes(array)",
        "sum(run.rows * run.mode.slots // run.mode.lanes for run in fold.runs)",
    ),
    "a step in one cycle": (STEPS, "fold.depth"),
    "all rows always drained": ("fold.drain_rows(array)", "array.rows"),
}
"""Mistakes in the closed forms: a text in their source, and what it becomes."""


def compare(seed: int, number: int, forms: ModuleType = closed_form) -> str:
    """How one fold stream (even cases weight-, odd ones output-stationary) disagrees, in words, or nothing."""
    choose = chooser(seed, number)
    if number % 2:
        array, tiles = draw_output(choose, withheld=False)
        total, formula = expand_output(array, tiles).total_cycles, forms.output_total_cycles(array, tiles)
    else:
        array, folds = draw_stationary(choose, withheld=False)
        total, formula = expand_stationary(array, folds).total_cycles, forms.stationary_total_cycles(array, folds)
    if total == formula:
        return ""
    place = f"{array.rows}x{array.columns} {array.dataflow}, {array.weight_loading}, rows {array.weight_load_rows}"
    return f"case {number} of seed {seed} ({place}): {total} cycles by events, {formula} by the closed form"


def planted(old: str, new: str) -> ModuleType:
    """A copy of the closed forms with one mistake; raises ValueError unless `old` stands there exactly once."""
    source = Path(closed_form.__file__).read_text(encoding="utf-8")
    if source.count(old) != 1:
        raise ValueError(f"the closed forms have {source.count(old)} places for {old!r}")
    module = ModuleType(closed_form.__name__)
    exec(compile(source.replace(old, new), closed_form.__file__, "exec"), vars(module))
    return module


def check_cases(cases: int, seed: int, progress: Progress) -> Outcome:
    """Fold streams without withheld rows."""
    return compare_cases(cases, progress, lambda number: compare(seed, number))


def check_mutants(seed: int) -> Mutants:
    """Every mistake in the closed forms must show in one of a few cases."""
    forms = {name: planted(*fault) for name, fault in FAULTS.items()}
    caught = [name for name, form in forms.items() if any(compare(seed, n, form) for n in range(MUTANT_CASES))]
    return Mutants(tuple(FAULTS), tuple(caught))


CHECK = Check(
    name="array_closed_form",
    title="array model: total cycles of random fold streams",
    against="closed forms",
    tier=Tier.CLOSED_FORM,
    cases=5000,
    run=check_cases,
    mutants=check_mutants,
)
