"""Multiply-accumulates of Swin, counted from our topology, against published figures and whole lists of GEMMs."""

from __future__ import annotations

from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier

FIGURES = 48
LISTED_GEMMS = 155
"""Rows of the published files and lengths of the lists; constants, so that naming the check reads none of them."""


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One case per figure, then one per GEMM of the lists; the seed has no meaning here."""
    from mixarray_analysis.validation.published.figure import outcome_of
    from mixarray_analysis.validation.published.swin import Swin, swin_figures, swin_lists

    swin = Swin()
    return outcome_of((*swin_figures(swin), *swin_lists(swin)), cases, progress)


def mutants(seed: int) -> Mutants:
    """Shapes and topologies with one fault each."""
    from mixarray_analysis.validation.published.swin_faults import caught_faults

    return caught_faults()


CHECK = Check(
    name="swin_macs",
    title="MACs of Swin-T, S and B in total and by part, and every GEMM of Swin-T at two sizes",
    against="published totals, lists of GEMMs",
    rule="topology of a trace, `mixarray_traces/record/topology.py`",
    source="totals that papers print, and counts written down from the published shapes independently of this code",
    agreement="to the printed digits; lists of GEMMs equal",
    tier=Tier.PUBLISHED,
    cases=FIGURES + LISTED_GEMMS,
    run=run,
    mutants=mutants,
)
