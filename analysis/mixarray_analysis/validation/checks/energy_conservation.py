"""Conservation: traffic at least compulsory, energy the exact sum of counts times costs, fewer bits never dearer."""

from __future__ import annotations

from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases


def compare(seed: int, case: int) -> str:
    """What a case does not conserve, in words, or nothing; the first is ratio 0 against the uniform high model."""
    from mixarray_analysis.validation.conservation import draw_gemm, gemm_violation, ratio_violation

    return gemm_violation(draw_gemm(seed, case - 1)) if case else ratio_violation()


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One GEMM per case at three precisions, whole and in halves, after ratio 0 of a small Swin."""
    return compare_cases(cases, progress, lambda case: compare(seed, case))


def mutants(seed: int) -> Mutants:
    """Counts and costs with one mistake each."""
    from mixarray_analysis.validation.conservation_faults import caught_faults

    return caught_faults(seed)


CHECK = Check(
    name="energy_conservation",
    title="MACs, PE-cycles and DRAM bits of runs, their energy, fewer bits, ratio 0, halves by rows",
    against="closed forms, exact sums",
    rule="whole runs: mapping, `fast` engine, `mixarray/cost/energy.py`",
    source=(
        "MACs M N K; each operand and result through DRAM once at least; sum of counts times costs in rationals; the "
        "uniform high model for ratio 0; for two halves by rows the whole plus its weights read again"
    ),
    agreement="equal counts; energies to 1e-12, for sums in another order; inequalities hold",
    tier=Tier.CLOSED_FORM,
    cases=100,
    run=run,
    mutants=mutants,
)
