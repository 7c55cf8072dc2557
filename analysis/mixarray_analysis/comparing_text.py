"""Comparisons as tables, sentences, CSV rows and JSON."""

from __future__ import annotations

from collections.abc import Sequence

from mixarray_analysis.assumptions import Kind
from mixarray_analysis.comparing import Comparison, Outcome, Run

HEADINGS = ("run", "accelerator", "cycles", "ms", "µJ [low, high]", "EDP µJ·ms", "TOPS/W", "mm²", "TOPS/mm²")
PAIR_HEADINGS = ("assumed of both runs", "first µJ", "second µJ", "second / first", "ranking")
COLUMNS = ("first", "second", "kind", "assumption", "first_uj", "second_uj", "survives")


def run_cells(run: Run) -> list[str]:
    """One run below HEADINGS."""
    totals = run.result.totals
    return [
        run.name,
        run.result.accelerator,
        f"{totals.cycles:,.0f}",
        f"{totals.latency_ms:.3f}",
        f"{totals.energy_uj:,.1f} [{totals.energy_low_uj:,.1f}, {totals.energy_high_uj:,.1f}]",
        f"{totals.edp_uj_ms:,.3f}",
        f"{totals.tops_per_watt:.3f}",
        "n/a" if totals.area_mm2 is None else f"{totals.area_mm2:.2f}",
        "n/a" if totals.tops_per_mm2 is None else f"{totals.tops_per_mm2:.3f}",
    ]


def pair_cells(comparison: Comparison) -> list[list[str]]:
    """A pair below PAIR_HEADINGS: constants moved alone only where they flip it, everything else always."""
    return [
        _outcome_cells(outcome)
        for outcome in comparison.outcomes
        if outcome.assumption.kind is not Kind.CONSTANT or not outcome.survives
    ]


def _outcome_cells(outcome: Outcome) -> list[str]:
    if outcome.first_uj is None or outcome.second_uj is None:
        return [outcome.assumption.name, *(_uj(value) for value in (outcome.first_uj, outcome.second_uj)), "", "n/a"]
    verdict = "holds" if outcome.survives else "flips"
    ratio = f"{outcome.second_uj / outcome.first_uj:.3f}" if outcome.first_uj else "n/a"
    return [outcome.assumption.name, _uj(outcome.first_uj), _uj(outcome.second_uj), ratio, verdict]


def _uj(value: float | None) -> str:
    return "n/a" if value is None else f"{value:,.1f}"


def describe_pair(comparison: Comparison) -> str:
    """One sentence: which run spends less energy, by how much, and whether that survives what is not known."""
    first, second = comparison.first.result.totals, comparison.second.result.totals
    names = comparison.first.name, comparison.second.name
    if first.energy_uj == second.energy_uj:
        head = f"{names[0]} and {names[1]} spend the same energy ({first.energy_uj:,.1f} uJ)"
    else:
        (less, low), (more, high) = sorted(zip(names, (first, second), strict=True), key=lambda one: one[1].energy_uj)
        share = 100 * (1 - low.energy_uj / high.energy_uj)
        head = (
            f"{less} spends {share:.1f} % less energy than {more} ({low.energy_uj:,.1f} against "
            f"{high.energy_uj:,.1f} uJ) in {_cycles(low.cycles, high.cycles)}"
        )
    parts = [head, _bands(comparison), _sensitivities(comparison)]
    if not comparison.same_work:
        parts.append("the two did not run the same work")
    return "; ".join(parts) + "."


def _cycles(own: float, other: float) -> str:
    if own == other:
        return "as many cycles"
    share = 100 * abs(1 - own / other)
    return f"{share:.1f} % {'fewer' if own < other else 'more'} cycles"


def _bands(comparison: Comparison) -> str:
    if comparison.survives_independent:
        return "their bands do not touch, so the ranking survives even if they err independently"
    if comparison.survives_constants:
        return "the ranking survives every constant within its band, the same in both runs, but not independent bands"
    alone = [one.name for one in comparison.flips if one.kind is Kind.CONSTANT]
    if alone:
        verb = "is" if len(alone) == 1 else "are each"
        return f"the ranking flips within the bands: {', '.join(alone)} {verb} enough"
    return "no constant alone flips the ranking within its band, but several together do"


def _sensitivities(comparison: Comparison) -> str:
    flips = [one.name for one in comparison.flips if one.kind is Kind.SENSITIVITY]
    unknown = [one.assumption.name for one in comparison.outcomes if one.survives is None]
    said = f"it flips with {', '.join(flips)}" if flips else "no sensitivity that was asked flips it"
    return f"{said} (not known: {', '.join(unknown)})" if unknown else said


def csv_rows(comparisons: Sequence[Comparison]) -> list[list[object]]:
    """Every pair under every assumption, below COLUMNS; what is not known is an empty cell."""
    return [
        [
            comparison.first.name,
            comparison.second.name,
            outcome.assumption.kind.value,
            outcome.assumption.name,
            _cell(outcome.first_uj),
            _cell(outcome.second_uj),
            _cell(outcome.survives),
        ]
        for comparison in comparisons
        for outcome in comparison.outcomes
    ]


def _cell(value: float | bool | None) -> object:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value


def as_json(runs: Sequence[Run], comparisons: Sequence[Comparison]) -> dict[str, object]:
    """Totals of the runs, and every pair with its outcomes and its sentence."""
    return {
        "runs": [
            {
                "run": run.name,
                "accelerator": run.result.accelerator,
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
        "same_work": comparison.same_work,
        "survives_constants": comparison.survives_constants,
        "survives_independent": comparison.survives_independent,
        "flips": [one.name for one in comparison.flips],
        "outcomes": [
            {
                "kind": outcome.assumption.kind.value,
                "assumption": outcome.assumption.name,
                "first_uj": outcome.first_uj,
                "second_uj": outcome.second_uj,
                "survives": outcome.survives,
                "ends": {str(key): end.value for key, end in outcome.assumption.ends.items()},
            }
            for outcome in comparison.outcomes
        ],
        "sentence": describe_pair(comparison),
    }
