"""ANT's timing rule, written anew, against the ratios that it publishes: equal to the printed decimals."""

from __future__ import annotations

from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier

RATIOS = 16
"""Rows of the published file; a constant, so that naming the check does not read it."""


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One case per network and design; the seed has no meaning here."""
    from mixarray_analysis.validation.published.ant import ant_ratios
    from mixarray_analysis.validation.published.figure import outcome_of

    return outcome_of(ant_ratios(), cases, progress)


def mutants(seed: int) -> Mutants:
    """Rules and mappers with one fault each."""
    from mixarray_analysis.validation.published.tile_faults import ant_caught

    return ant_caught()


CHECK = Check(
    name="ant_rule",
    title="cycles of ViT and BERT on four designs, relative to AdaFloat",
    against="ANT's simulator, its results",
    rule="ANT's rule, written anew, `mixarray/timing/ant.py`",
    source=(
        "ANT (MICRO 2022), authors' repository: table of its simulator's results; layers and bits from its "
        "benchmark lists"
    ),
    agreement="equal to the two decimals printed; the table has no more",
    tier=Tier.PEERS,
    cases=RATIOS,
    run=run,
    mutants=mutants,
)
