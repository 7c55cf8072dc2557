"""Relative bit operations: our counter on windows of stated shares, against MixA-Q's table and its closed form.

Only the uniform rows leave nothing free. The shares of the others are solved from the printed figures: they hold the
counter against the closed form, on windows of whole blocks drawn at random, and prove nothing of what MixA-Q ran.
"""

from __future__ import annotations

from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases

PUBLISHED_ROWS = 8
"""Those of the published table; a constant, so that naming the check does not read it."""
DRAWS = 15
"""Windows drawn for each row, the first of them with equal shares in all block pairs."""


def compare(seed: int, case: int) -> str:
    """How one drawing of windows disagrees, in words, or nothing."""
    from mixarray_analysis.validation.published.bops import compare_row, draw_row

    wrong = [comparison.mismatch for comparison in compare_row(draw_row(seed, case)) if comparison.mismatch]
    return f"seed {seed}, case {case}: {wrong[0]}" if wrong else ""


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One drawing of windows per case, the rows in turn."""
    return compare_cases(cases, progress, lambda case: compare(seed, case))


def mutants(seed: int) -> Mutants:
    """Counters with one fault each."""
    from mixarray_analysis.validation.published.bops_faults import caught_faults

    return caught_faults(seed)


CHECK = Check(
    name="bops_ratios",
    title="relative bit operations of Swin-T at 800x1333, counted from windows drawn for given shares",
    against="MixA-Q's table (uniform rows), closed form (mixed rows)",
    rule="counter of bit operations, `mixarray/trace/bops.py`, on drawn windows",
    source="MixA-Q (ICCV 2025), COCO table, as quoted by a reading note; shares of mixed rows solved from it",
    agreement="equal to the closed form of the windows that run; to the printed digits",
    tier=Tier.PUBLISHED,
    cases=PUBLISHED_ROWS * DRAWS,
    run=run,
    mutants=mutants,
)
