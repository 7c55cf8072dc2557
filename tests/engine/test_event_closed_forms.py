"""Closed forms of design 5 on random fold lists: the fourth witness."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.engine.event import run_event

FOLDS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 60)), min_size=1, max_size=12)
EDGE = st.integers(1, 32)


def expected(folds, policy, rows, columns):
    drain = rows + columns - 2
    loads, passes = zip(*folds, strict=True)
    if policy == "serial":
        return sum(loads) + sum(passes) + drain * len(folds)
    if policy == "single":
        return sum(loads) + sum(passes) + drain
    return loads[0] + sum(map(max, passes[:-1], loads[1:])) + passes[-1] + drain


@given(FOLDS, st.sampled_from(("serial", "single", "double")), EDGE, EDGE)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_totals_equal_the_closed_forms(fold_schedule, folds, policy, rows, columns):
    schedule = fold_schedule(folds, policy, rows, columns)
    assert run_event(schedule, 1).total_cycles == expected(folds, policy, rows, columns)


def test_a_mean_of_the_passes_would_be_wrong():
    folds = [(4, 8), (4, 2), (4, 8), (4, 2)]
    assert expected(folds, "double", 4, 4) != 4 + 3 * max(5, 4) + 5 + 6
