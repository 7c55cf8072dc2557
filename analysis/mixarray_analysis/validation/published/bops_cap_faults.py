"""Counters of bit operations and divisions of windows with one deliberate fault each, for the cap."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from mixarray_analysis.validation.check import Mutants
from mixarray_analysis.validation.faults import planted_copy
from mixarray_analysis.validation.published.bops_cap import (
    SIZES,
    Rules,
    cap_figure,
    draw_case,
    split_violation,
    violation,
)
from mixarray_analysis.validation.published.bops_faults import BOPS
from mixarray_analysis.validation.published.bops_faults import FAULTS as COUNTER_FAULTS

RATIO = "mixarray.trace.ratio"
HIGH = "high = windows * (1000 - pruning - compression) // 1000"
SPLIT_FAULTS: Mapping[str, tuple[str, str]] = {
    "high windows rounded up": (HIGH, f"high = -(-{HIGH.removeprefix('high = ').removesuffix(' // 1000')} // 1000)"),
    "ratios up to 0.9": ("LARGEST_COMPRESSION = 800", "LARGEST_COMPRESSION = 900"),
    "low windows pruned": ("return high, kept - high, windows - kept", "return high, 0, windows - high"),
}
"""Mistakes in the division: a text in its source, and what it becomes."""


def caught_faults(seed: int) -> Mutants:
    """Plant every fault in turn: the figure, the divisions, and one case of each input size."""
    faulty = {
        **{name: Rules(counter=vars(planted_copy(BOPS, *fault))["bops"]) for name, fault in COUNTER_FAULTS.items()},
        **{name: Rules(split=vars(planted_copy(RATIO, *fault))["group_sizes"]) for name, fault in SPLIT_FAULTS.items()},
    }
    return Mutants(tuple(faulty), tuple(name for name, rules in faulty.items() if _shows(rules, seed)))


def _shows(rules: Rules, seed: int) -> bool:
    cases = (violation(rules, draw_case(rules, seed, case), True) for case in range(len(SIZES)))
    return any(chain((split_violation(rules), cap_figure(rules).mismatch), cases))
