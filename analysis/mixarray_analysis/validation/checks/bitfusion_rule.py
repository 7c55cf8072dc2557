"""Bit Fusion's timing rule, written anew, against what its simulator recorded: equal to the cycle."""

from __future__ import annotations

from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier

RECORDED_LAYERS = 110
"""Rows of the published file; a constant, so that naming the check does not read it."""


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One case per layer and configuration; the seed has no meaning here."""
    from mixarray_analysis.validation.published.bitfusion import bitfusion_layers
    from mixarray_analysis.validation.published.figure import outcome_of

    return outcome_of(bitfusion_layers(), cases, progress)


def mutants(seed: int) -> Mutants:
    """Rules and mappers with one fault each."""
    from mixarray_analysis.validation.published.tile_faults import bitfusion_caught

    return bitfusion_caught()


CHECK = Check(
    name="bitfusion_rule",
    title="total and stall cycles of fully connected, recurrent and 1x1 layers on five configurations",
    against="Bit Fusion's simulator, its results",
    rule="Bit Fusion's rule, written anew, `mixarray/timing/bitfusion.py`",
    source="Bit Fusion (ISCA 2018), authors' repository: cycles that its simulator recorded; sizes from its benchmarks",
    agreement="equal total and stall cycles",
    tier=Tier.PEERS,
    cases=RECORDED_LAYERS,
    run=run,
    mutants=mutants,
)
