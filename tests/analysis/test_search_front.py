"""Fronts: closed forms by hand, and equality with pymoo's indicators."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray_analysis.search.front import Trade, front_of, gain_at_equal_accuracy, hypervolume, igd_plus

CORNER = Trade(1.0, 0.0)
VALUES = st.integers(0, 20).map(lambda value: value / 20)
POINTS = st.lists(st.builds(Trade, VALUES, VALUES), min_size=1, max_size=12)


def as_minimised(points: list[Trade]) -> np.ndarray:
    return np.array([(one.cost, -one.accuracy) for one in points])


def test_a_front_by_hand() -> None:
    points = [Trade(0.5, 0.4), Trade(0.7, 0.4), Trade(0.6, 0.3), Trade(0.8, 0.9), Trade(0.5, 0.4)]
    assert front_of(points) == [Trade(0.5, 0.4), Trade(0.8, 0.9)]


def test_a_hypervolume_by_hand() -> None:
    area = 0.5 * 0.4 + 0.2 * 0.5
    points = [Trade(0.5, 0.4), Trade(0.8, 0.9)]
    assert hypervolume(points, CORNER) == pytest.approx(area)
    whole_rectangles = sum((CORNER.cost - one.cost) * one.accuracy for one in points)
    assert whole_rectangles != pytest.approx(area), "counting what both dominate twice would be noticed"
    assert hypervolume([Trade(1.0, 0.5), Trade(1.2, 0.9)], CORNER) == 0


@given(POINTS)
def test_the_hypervolume_is_that_of_pymoo(points: list[Trade]) -> None:
    from pymoo.indicators.hv import HV

    theirs = float(HV(ref_point=np.array([1.0, 0.0]))(as_minimised(points)))
    assert hypervolume(points, CORNER) == pytest.approx(theirs, abs=1e-12)


@given(POINTS, st.lists(st.builds(Trade, VALUES, VALUES), max_size=12))
def test_the_distance_is_that_of_pymoo(found: list[Trade], others: list[Trade]) -> None:
    from pymoo.indicators.igd_plus import IGDPlus

    ends = [Trade(0.0, 0.05), Trade(0.95, 1.05)]
    true = front_of([*(one for one in others if 0 < one.cost < 0.95 and one.accuracy < 1), *ends])
    extents = np.array([0.95, 1.0])  # pymoo's distances are not scaled
    theirs = float(IGDPlus(as_minimised(true) / extents)(as_minimised(found) / extents))
    assert igd_plus(found, true) == pytest.approx(theirs)


def test_no_distance_to_oneself_and_the_lack_of_a_part() -> None:
    true = [Trade(0.0, 0.0), Trade(1.0, 0.5)]
    assert igd_plus(true, true) == 0
    assert igd_plus(true[:1], true) == pytest.approx(0.5), "half of the points lack the whole extent of accuracy"
    with pytest.raises(ValueError, match="no distance"):
        igd_plus([], true)


def test_the_gain_at_equal_accuracy_by_hand() -> None:
    own = [Trade(0.5, 0.4), Trade(0.6, 0.6)]
    other = [Trade(0.6, 0.5), Trade(0.9, 0.6)]
    gain = gain_at_equal_accuracy(own, other)
    assert gain is not None
    # at 0.5 and at 0.6; at 0.4 the other front was not searched
    assert (gain.levels, gain.least, gain.most) == (2, pytest.approx(0.6 / 0.6 - 1), pytest.approx(0.9 / 0.6 - 1))
    swapped = gain_at_equal_accuracy(other, own)
    assert swapped is not None
    assert swapped.mean < 0 < gain.mean


def test_fronts_of_other_accuracies_have_no_gain() -> None:
    assert gain_at_equal_accuracy([Trade(0.5, 0.9)], [Trade(0.5, 0.1)]) is None
    assert gain_at_equal_accuracy([], [Trade(0.5, 0.1)]) is None
