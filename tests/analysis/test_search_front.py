"""Fronts: closed forms by hand, and by counting."""

from __future__ import annotations

from math import hypot
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray_analysis.search.front import Trade, front_of, gain_at_equal_accuracy
from mixarray_analysis.search.indicators import hypervolume, igd_plus

CORNER = Trade(1.0, 0.0)
VALUES = st.integers(0, 20).map(lambda value: value / 20)
POINTS = st.lists(st.builds(Trade, VALUES, VALUES), min_size=1, max_size=12)


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


@given(POINTS, st.builds(Trade, VALUES, VALUES))
def test_the_hypervolume_counts_each_place_once(points: list[Trade], corner: Trade) -> None:
    """All numbers lie on a grid of 20 x 20: count its cells that some point dominates and the corner bounds."""
    cells = [((column + 0.5) / 20, (row + 0.5) / 20) for column in range(20) for row in range(20)]
    inside = [(cost, accuracy) for cost, accuracy in cells if cost < corner.cost and accuracy > corner.accuracy]
    dominated = [place for place in inside if any(one.cost < place[0] and one.accuracy > place[1] for one in points)]
    assert hypervolume(points, corner) == pytest.approx(len(dominated) / 400, abs=1e-12)


@given(POINTS)
def test_the_distance_by_its_definition(found: list[Trade]) -> None:
    true = [Trade(0.1, 0.2), Trade(0.3, 0.7), Trade(0.9, 0.8)]
    lacking = [
        min(hypot(max(0, one.cost - goal.cost) / 0.8, max(0, goal.accuracy - one.accuracy) / 0.6) for one in found)
        for goal in true
    ]
    assert igd_plus(found, true) == pytest.approx(fmean(lacking), abs=1e-12)


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


def test_accuracies_weigh_alike_however_points_crowd() -> None:
    """Half the cost is lost between accuracies 0.2 and 0.3, nothing between 0.3 and 0.6."""
    own = [Trade(0.3, 0.2), Trade(0.4, 0.3), Trade(0.8, 0.6)]
    other = [Trade(0.3, 0.2), Trade(0.6, 0.3), Trade(0.8, 0.6)]
    crowd = [Trade(0.65, 0.4), Trade(0.7, 0.5), Trade(0.75, 0.55)]
    for more in ([], crowd):
        gain = gain_at_equal_accuracy([*own, *more], [*other, *more])
        assert gain is not None
        assert gain.mean == pytest.approx(0.5 * 0.1 / 0.4)
        assert gain.mean != pytest.approx(0.5 / gain.levels), "a mean over levels would be noticed"


def test_a_single_accuracy_in_common_is_compared_there() -> None:
    gain = gain_at_equal_accuracy([Trade(0.5, 0.4)], [Trade(0.6, 0.4)])
    assert gain is not None
    assert (gain.mean, gain.levels) == (pytest.approx(0.2), 1)


def test_fronts_of_other_accuracies_have_no_gain() -> None:
    assert gain_at_equal_accuracy([Trade(0.5, 0.9)], [Trade(0.5, 0.1)]) is None
    assert gain_at_equal_accuracy([], [Trade(0.5, 0.1)]) is None
