"""Closed forms of design 5 against the event expansion: totals of random fold streams, both register dataflows."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from mixarray.array import closed_form
from mixarray.array.output import expand_output
from mixarray.array.stationary import expand_stationary
from mixarray_analysis.validation.arrays import chooser
from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases
from mixarray_analysis.validation.faults import planted_copy
from mixarray_analysis.validation.fold_streams import draw_output, draw_stationary
from mixarray_analysis.validation.model_faults import (
    ALL_DRAINED,
    ALL_LOADED,
    EMPTY_SLOTS_PASS,
    LOG_STRETCHED,
    PORT_IGNORED,
    in_model,
)

MUTANT_CASES = 60

LOADS, STEPS = "_kept_rows(array, min(fold.depth, array.rows)) * port_cycles", "fold.depth * port_cycles"
TRAVEL, DRAINS = "travel = array.rows + array.columns - 2", "_kept_rows(array, fold.height)"
FAULTS: Mapping[str, tuple[str, str]] = {
    "mean of the passes": (TRAVEL, f"second = [sum(second) // len(second)] * len(second); {TRAVEL}"),
    "way through the array dropped": (TRAVEL, "travel = 0"),
    "columns of the way dropped": (TRAVEL, "travel = array.rows - 1"),
    "emptied once under serial": ("travel * len(first)", "travel"),
    "load one row short": (LOADS, f"({LOADS} - port_cycles)"),
    "all rows always loaded": (LOADS, "array.rows * port_cycles"),
    "a load row in one cycle": (LOADS, LOADS.replace(" * port_cycles", "")),
    "first load hidden": ("first[0] + sum(map", "sum(map"),
    "sum for the longer of load and stream": ("sum(map(max, second[:-1], first[1:]))", "sum(second[:-1] + first[1:])"),
    "an empty slot costs a pass": (
        "_passes(run.mode, fold.depth, array.rows)",
        "(run.mode.slots // run.mode.lanes)",
    ),
    "a step in one cycle": (STEPS, "fold.depth"),
    "all rows always drained": (DRAINS, "array.rows"),
}
"""Mistakes in the closed forms: a text in their source, and what it becomes."""
MODEL_FAULTS = (EMPTY_SLOTS_PASS, PORT_IGNORED, ALL_LOADED, ALL_DRAINED, LOG_STRETCHED)
"""Mistakes in what the model shares with the mapping: only a witness that shares none of it can notice."""


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


def check_cases(cases: int, seed: int, progress: Progress) -> Outcome:
    """Fold streams without withheld rows."""
    return compare_cases(cases, progress, lambda number: compare(seed, number))


def check_mutants(seed: int) -> Mutants:
    """Every mistake, in the closed forms or in the model, must show in one of a few cases."""

    def shows(forms: ModuleType = closed_form) -> bool:
        return any(compare(seed, number, forms) for number in range(MUTANT_CASES))

    caught = [name for name, fault in FAULTS.items() if shows(planted_copy(closed_form.__name__, *fault))]
    for fault in MODEL_FAULTS:
        with in_model(fault):
            caught += [fault.name] * shows()
    return Mutants((*FAULTS, *(fault.name for fault in MODEL_FAULTS)), tuple(caught))


CHECK = Check(
    name="array_closed_form",
    title="array model: total cycles of random fold streams",
    against="closed forms",
    rule="event expansion of fold streams, `mixarray/array/stationary.py` and `output.py`",
    source="sums over folds written without the expansion, `mixarray/array/closed_form.py` (docs/array.md)",
    agreement="equal cycles",
    tier=Tier.CLOSED_FORM,
    cases=5000,
    run=check_cases,
    mutants=check_mutants,
)
