"""The cap on what low windows alone can give: 1.667 in bit operations, from ratios up to 0.8 and half the bits."""

from __future__ import annotations

from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases

CASES = 100


def compare(seed: int, case: int) -> str:
    """How a case disagrees, in words, or nothing; the first two are the figure itself and the division of windows."""
    from mixarray_analysis.validation.published.bops_cap import (
        SIZES,
        Rules,
        cap_figure,
        draw_case,
        split_violation,
        violation,
    )

    rules, number = Rules(), case - 2
    if case == 0:
        return cap_figure(rules).mismatch
    if case == 1:
        return split_violation(rules)
    return violation(rules, draw_case(rules, seed, number), number < len(SIZES))


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One drawing of ratios per case, after the figure and the division of windows."""
    return compare_cases(cases, progress, lambda case: compare(seed, case))


def mutants(seed: int) -> Mutants:
    """Counters and divisions with one fault each."""
    from mixarray_analysis.validation.published.bops_cap_faults import caught_faults

    return caught_faults(seed)


CHECK = Check(
    name="bops_cap",
    title="low windows alone: 1.667 at ratio 0.8 everywhere, never more but for rounding to whole windows",
    against="closed form 1 / (1 - 0.8 / 2)",
    rule="counter of bit operations, `mixarray/trace/bops.py`, on windows divided by `mixarray/trace/ratio.py`",
    source="closed form from MixA-Q's largest ratio (0.8) and its bits; no figure of its table",
    agreement=(
        "equal to the closed form of the windows' own share; the cap to its printed digits, for whole windows "
        "within one window of each block"
    ),
    tier=Tier.PUBLISHED,
    cases=CASES,
    run=run,
    mutants=mutants,
)
