"""Sensitivity of rankings: what `compare` says under other constants, against costing the same runs anew."""

from __future__ import annotations

from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases


def compare(seed: int, case: int) -> str:
    """How the comparison of one pair of runs disagrees, in words, or nothing."""
    from mixarray_analysis.validation.sensitivity import draw_pair, pair_violation

    found = pair_violation(*draw_pair(seed, case))
    return found and f"seed {seed}, case {case}: {found}"


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One pair of runs of nearly equal energy per case."""
    return compare_cases(cases, progress, lambda case: compare(seed, case))


def mutants(seed: int) -> Mutants:
    """Comparisons with one mistake each."""
    from mixarray_analysis.validation.sensitivity_faults import caught_faults

    return caught_faults(seed)


CHECK = Check(
    name="energy_sensitivity",
    title="energy rankings under other DRAM, SRAM, leakage and INT4 energies: asked, priced, concluded",
    against="the same runs costed anew",
    rule="`mixarray compare`: `mixarray_analysis/comparing.py` and `assumptions.py`, counts of `run.json` priced anew",
    source=(
        "`mixarray/cost/energy.py` on the runs themselves, with the constants of each sensitivity put into the table "
        "(DRAM at both ends, SRAM x0.6 and x1.6, every leakage, INT4 at 0.25 and 0.43 of INT8)"
    ),
    agreement="energies to 1e-9, for sums in another order; equal verdicts; energies within 0.1 % count as equal",
    tier=Tier.CLOSED_FORM,
    cases=40,
    run=run,
    mutants=mutants,
)
