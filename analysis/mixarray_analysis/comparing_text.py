"""Comparisons as tables, CSV rows and JSON."""

from __future__ import annotations

from collections.abc import Sequence

from mixarray.digits import significant
from mixarray_analysis.assumptions import Kind
from mixarray_analysis.comparing import Comparison, Outcome, Run
from mixarray_analysis.comparing_sentence import describe_pair
from mixarray_analysis.ranking import TOLERANCE, Verdict

TIME_HEADINGS = ("run", "accelerator", "cycles", "ms")
COST_HEADINGS = ("run", "µJ [low, high]", "EDP µJ·ms", "TOPS/W", "mm²", "TOPS/mm²")
PAIR_HEADINGS = ("assumed of both runs", "first µJ", "second µJ", "second / first", "ranking")
COLUMNS = ("first", "second", "kind", "assumption", "first_uj", "second_uj", "verdict")
UNKNOWN = "n/a"


def time_cells(run: Run) -> list[str]:
    """One run below TIME_HEADINGS."""
    totals = run.result.totals
    return [run.name, run.result.accelerator, f"{totals.cycles:,.0f}", significant(totals.latency_ms, 4)]


def cost_cells(run: Run) -> list[str]:
    """One run below COST_HEADINGS."""
    totals = run.result.totals
    return [
        run.name,
        f"{significant(totals.energy_uj)} [{significant(totals.energy_low_uj)}, {significant(totals.energy_high_uj)}]",
        significant(totals.edp_uj_ms),
        significant(totals.tops_per_watt, 4),
        UNKNOWN if totals.area_mm2 is None else significant(totals.area_mm2, 4),
        UNKNOWN if totals.tops_per_mm2 is None else significant(totals.tops_per_mm2, 4),
    ]


def pair_cells(comparison: Comparison) -> list[list[str]]:
    """A pair below PAIR_HEADINGS: constants moved alone only where they change the order, everything else always."""
    usual = Verdict.HOLDS if comparison.ranked else Verdict.EQUAL
    return [
        _outcome_cells(outcome)
        for outcome in comparison.outcomes
        if outcome.assumption.kind is not Kind.CONSTANT or outcome.verdict is not usual
    ]


def _outcome_cells(outcome: Outcome) -> list[str]:
    first, second = outcome.first_uj, outcome.second_uj
    ratio = UNKNOWN if first is None or second is None or not first else significant(second / first, 4)
    verdict = UNKNOWN if outcome.verdict is None else outcome.verdict.value
    return [outcome.assumption.name, _uj(first), _uj(second), ratio, verdict]


def _uj(value: float | None) -> str:
    return UNKNOWN if value is None else significant(value)


def csv_rows(comparisons: Sequence[Comparison]) -> list[list[object]]:
    """Every pair under every assumption, below COLUMNS; what is not known is an empty cell."""
    return [
        [
            comparison.first.name,
            comparison.second.name,
            outcome.assumption.kind.value,
            outcome.assumption.name,
            "" if outcome.first_uj is None else outcome.first_uj,
            "" if outcome.second_uj is None else outcome.second_uj,
            "" if outcome.verdict is None else outcome.verdict.value,
        ]
        for comparison in comparisons
        for outcome in comparison.outcomes
    ]


def as_json(runs: Sequence[Run], comparisons: Sequence[Comparison]) -> dict[str, object]:
    """Totals of the runs, and every pair with its outcomes and its sentence."""
    return {
        "runs": [
            {
                "run": run.name,
                "accelerator": run.result.accelerator,
                "energy_table": run.table.name,
                "energy_model": run.result.energy_model,
                **run.result.totals.model_dump(mode="json"),
            }
            for run in runs
        ],
        "pairs": [_pair_json(comparison) for comparison in comparisons],
    }


def _pair_json(comparison: Comparison) -> dict[str, object]:
    return {
        "first": comparison.first.name,
        "second": comparison.second.name,
        "same_work": not comparison.work_differs,
        "work_differs": list(comparison.work_differs),
        "same_energy_table": comparison.order is not None,
        "less_energy": None if comparison.order is None else comparison.order.value,
        "tolerance": TOLERANCE,
        "survives_constants": comparison.survives_constants,
        "survives_independent": comparison.survives_independent,
        "flips": [one.name for one in comparison.having(Verdict.FLIPS, *Kind)],
        "outcomes": [
            {
                "kind": outcome.assumption.kind.value,
                "assumption": outcome.assumption.name,
                "first_uj": outcome.first_uj,
                "second_uj": outcome.second_uj,
                "verdict": None if outcome.verdict is None else outcome.verdict.value,
                "ends": {str(key): end.value for key, end in outcome.assumption.ends.items()},
            }
            for outcome in comparison.outcomes
        ],
        "sentence": describe_pair(comparison),
    }
