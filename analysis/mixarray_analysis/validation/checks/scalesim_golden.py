"""Recorded answers of SCALE-Sim 3.0.0: every GEMM of Swin-T, and layers of both forms in all three dataflows."""

from __future__ import annotations

from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier
from mixarray_analysis.validation.scalesim.compare import Subject, compare_run, first_of
from mixarray_analysis.validation.scalesim.faults import DEPTHWISE_FAULTS, FAULTS, caught_faults
from mixarray_analysis.validation.scalesim.golden import golden_runs

RECORDED_LAYERS = 152
"""Those of all golden files; a constant, so that naming the check reads none of them."""


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One case per recorded layer, in the order of the files; the seed has no meaning here."""
    found = [layer for run in golden_runs() for layer in compare_run(Subject(), run)][:cases]
    progress(len(found))
    return Outcome(len(found), sum(map(bool, found)), first_of(found))


def mutants(seed: int) -> Mutants:
    """Reader and rule with one fault each, on all golden files."""
    return caught_faults(golden_runs(), (*FAULTS, *DEPTHWISE_FAULTS))


CHECK = Check(
    name="scalesim_golden",
    title="cycles, SRAM counts and utilisations of recorded layers",
    against="SCALE-Sim 3.0.0, golden files",
    rule="SCALE-Sim's rule in closed form, `mixarray/timing/scalesim.py`, and our readers of its files",
    source="recorded answers of SCALE-Sim 3.0.0, `tests/golden/scalesim/`",
    agreement="equal cycles and counts; utilisations to 1e-12, for sums in another order",
    tier=Tier.PEERS,
    cases=RECORDED_LAYERS,
    run=run,
    mutants=mutants,
)
