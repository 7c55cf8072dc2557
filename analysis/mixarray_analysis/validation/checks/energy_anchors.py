"""Energy tables and SRAM grids against the figures they were taken from, and against others that they were not."""

from __future__ import annotations

from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier

FIGURES = 88
"""Rows of the published files; a constant, so that naming the check reads none of them."""


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One case per figure; the seed has no meaning here."""
    from mixarray_analysis.validation.published.energy import Costs, energy_figures
    from mixarray_analysis.validation.published.figure import outcome_of

    return outcome_of(energy_figures(Costs()), cases, progress)


def mutants(seed: int) -> Mutants:
    """Tables and readers with one fault each."""
    from mixarray_analysis.validation.published.energy_faults import caught_faults

    return caught_faults()


CHECK = Check(
    name="energy_anchors",
    title="constants of the energy tables, SRAM grids, energy of 4 over 8 bits",
    against="published figures, CACTI 7",
    rule="shipped tables and SRAM grids, read by `mixarray/cost/`",
    source="publications and CACTI 7, each figure with its source below",
    agreement="to the digits that the table keeps; SRAM and ratios inside the band that is printed beside each",
    tier=Tier.PUBLISHED,
    cases=FIGURES,
    run=run,
    mutants=mutants,
)
