"""What longer trainings change: every claim about trained models, at two budgets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mixarray_analysis.reproduction.cells import interval_text, sides_of, verdict_text
from mixarray_analysis.reproduction.claims import Claim, qat_claims
from mixarray_analysis.reproduction.measured_tables import NOT_YET
from mixarray_analysis.reproduction.results import NotMeasuredError, Results
from mixarray_analysis.reproduction.verdict import Difference, change, difference

SHORTER = "shorter"
"""Beside the results: what was measured after trainings on fewer canvases. No other table uses it."""
BUDGET_HEADINGS = (
    "claim", "with", "after shorter trainings [95 %]", "verdict", "after longer trainings [95 %]", "verdict",
    "change [95 %]", "seeds", "n",
)  # fmt: skip


def shorter_beside(results: Results) -> Results:
    """What was measured after shorter trainings."""
    return Results(results.directory.with_name(SHORTER))


def budget_rows(results: Results) -> Iterator[Sequence[str]]:
    """Difference and verdict of every claim after trainings of either budget, and how far the difference moved."""
    for claim in qat_claims():
        said = claim.said, f"{claim.one.models[0]}, {claim.other.models[0]}"
        try:
            before, after, moved = _at_both(claim, results)
        except NotMeasuredError as error:
            yield *said, f"{NOT_YET}: {error}", *("" for _ in BUDGET_HEADINGS[3:])
            continue
        cells = (text(found) for found in (before, after) for text in (interval_text, verdict_text))
        yield *said, *cells, interval_text(moved), str(len(moved.seeds)), str(moved.n)


def budget_sentence(results: Results) -> str:
    """How many of the verdicts turn with the budget, and how many of the differences move at all."""
    try:
        every = [_at_both(claim, results) for claim in qat_claims()]
    except NotMeasuredError:
        return ""
    turned = sum(before.verdict is not after.verdict for before, after, _ in every)
    moved = sum(found.low > 0 or found.high < 0 for *_, found in every)
    return (
        f"{turned} of {len(every)} verdicts turn with the budget; {moved} differences move by more than the noise of "
        "the canvases (the interval of the change excludes 0). Most share a model, so they do not count as so many."
    )


def _at_both(claim: Claim, results: Results) -> tuple[Difference, Difference, Difference]:
    """After shorter trainings, after longer ones, the second minus the first."""
    before, after = sides_of(claim, shorter_beside(results)), sides_of(claim, results)
    return difference(*before), difference(*after), change(before, after)
