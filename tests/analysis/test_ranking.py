"""Orders, ties and margins agree with one another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray_analysis.ranking import TOLERANCE, Order, Verdict, flip_margin, hold_margin, order_of, verdict_of

ENERGY = st.one_of(st.floats(1e-6, 1e6), st.integers(9_980, 10_020).map(float))
"""Of all sizes, and often near one another."""
MIRRORED = {Order.FIRST: Order.SECOND, Order.SECOND: Order.FIRST, Order.EQUAL: Order.EQUAL}


@given(ENERGY, ENERGY)
def test_the_order_does_not_depend_on_who_stands_first(first: float, second: float) -> None:
    assert order_of(second, first) is MIRRORED[order_of(first, second)]


@given(ENERGY, ENERGY)
def test_margins_have_the_sign_of_the_order(less: float, more: float) -> None:
    """But for energies so near the edge of the tolerance that rounding decides."""
    found, edge = order_of(less, more), 1e-12 * max(less, more)
    if abs(hold_margin(less, more)) > edge:
        assert (hold_margin(less, more) > 0) == (found is Order.FIRST)
    if abs(flip_margin(less, more)) > edge:
        assert (flip_margin(less, more) < 0) == (found is Order.SECOND)


@pytest.mark.parametrize(
    ("second", "expected"), [(1000, Order.EQUAL), (1001, Order.EQUAL), (1002, Order.FIRST), (998.9, Order.SECOND)]
)
def test_equal_is_within_a_thousandth_of_the_larger(second: float, expected: Order) -> None:
    assert TOLERANCE == 1e-3
    assert order_of(1000, second) is expected
    assert order_of(0, 0) is Order.EQUAL


@pytest.mark.parametrize(
    ("without", "under", "expected"),
    [
        (Order.FIRST, Order.FIRST, Verdict.HOLDS),
        (Order.FIRST, Order.SECOND, Verdict.FLIPS),
        (Order.FIRST, Order.EQUAL, Verdict.EQUAL),
        (Order.EQUAL, Order.EQUAL, Verdict.EQUAL),
        (Order.EQUAL, Order.SECOND, Verdict.PARTS),
    ],
)
def test_verdicts(without: Order, under: Order, expected: Verdict) -> None:
    assert verdict_of(without, under) is expected
