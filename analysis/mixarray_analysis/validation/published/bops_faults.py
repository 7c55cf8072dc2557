"""Counters of bit operations with one deliberate fault each."""

from __future__ import annotations

from collections.abc import Mapping

from mixarray_analysis.validation.check import Mutants
from mixarray_analysis.validation.faults import planted_copy
from mixarray_analysis.validation.published.bops import Counter, bops_rows, compare_row, draw_row

BOPS = "mixarray.trace.bops"
BITS, WORK = "bits_of(g)", "g.batch * g.rows"
FAULTS: Mapping[str, tuple[str, str]] = {
    "both operands' bits": (BITS, "(g.stream_bits * g.stationary_bits)"),
    "operators outside the blocks too": ("if op.in_block:", "if op.k:"),
    "a window's heads counted once": (WORK, "g.rows"),
    "all groups at the first one's bits": (BITS, "grouped.groups[0].stream_bits"),
    "MACs, whatever their bits": (BITS, "1"),
    "outputs, whatever they sum": ("* op.n * op.k", "* op.n"),
}
"""Mistakes in the counter: a text in its source, and what it becomes."""


def caught_faults(seed: int) -> Mutants:
    """Plant every fault in turn and count each row twice."""
    caught = [name for name, fault in FAULTS.items() if _shows(vars(planted_copy(BOPS, *fault))["bops"], seed)]
    return Mutants(tuple(FAULTS), tuple(caught))


def _shows(counter: Counter, seed: int) -> bool:
    cases = range(2 * len(bops_rows()))
    return any(comparison.mismatch for case in cases for comparison in compare_row(draw_row(seed, case, counter)))
