"""Fronts against their definition, and which points of a large sweep are kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixarray_analysis.report.fronts import Better, chosen_points, costs_of, front

Costs = list[tuple[float, float]]
COSTS = st.lists(st.tuples(*[st.sampled_from([0.0, 1.0, 2.0, 3.0, float("nan")])] * 2), max_size=12)
Front = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.int64]]


def by_definition(costs: Costs) -> set[tuple[float, float]]:
    """Cost pairs that nothing else is at most as large as in both."""
    known = {pair for pair in costs if pair[0] == pair[0] and pair[1] == pair[1]}
    return {one for one in known if not any(o != one and o[0] <= one[0] and o[1] <= one[1] for o in known)}


def found_by(function: Front, costs: Costs) -> list[tuple[float, float]]:
    first, second = (np.array([pair[place] for pair in costs], np.float64) for place in (0, 1))
    return [costs[number] for number in function(first, second)]


@given(COSTS)
def test_a_front_is_what_nothing_beats_each_once_and_in_order(costs: Costs) -> None:
    found = found_by(front, costs)
    assert set(found) == by_definition(costs)
    assert found == sorted(set(found))


def test_a_front_that_keeps_ties_is_noticed() -> None:
    def faulty(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.int64]:
        order = np.lexsort((second, first))
        return order[second[order] <= np.minimum.accumulate(second[order])]

    costs = [(0.0, 1.0), (1.0, 1.0)]
    assert set(found_by(front, costs)) == by_definition(costs)
    assert set(found_by(faulty, costs)) != by_definition(costs)


def test_high_is_turned_into_low() -> None:
    assert costs_of(np.array([1.0, 2.0]), Better.HIGH).tolist() == [-1.0, -2.0]
    assert costs_of(np.array([1.0, 2.0]), Better.LOW).tolist() == [1.0, 2.0]


def test_every_front_of_a_large_sweep_is_kept_and_the_rest_thinned_evenly() -> None:
    random = np.random.default_rng(0)
    costs = {name: random.random(5000) for name in "abc"}
    kept = chosen_points(costs, 5000, 200)
    assert len(kept) == 200
    assert kept.tolist() == sorted(set(kept.tolist()))
    for one, other in ("ab", "ac", "bc"):
        assert set(front(costs[one], costs[other])) <= set(kept)
    others = np.setdiff1d(kept, np.concatenate([front(costs[a], costs[b]) for a, b in ("ab", "ac", "bc")]))
    assert np.diff(others).max() < 3 * 5000 / len(others)


def test_a_small_sweep_is_kept_whole_and_fronts_are_never_cut() -> None:
    assert chosen_points({}, 3, 3).tolist() == [0, 1, 2]
    line = {"a": np.arange(10.0), "b": -np.arange(10.0)}
    with pytest.raises(ValueError, match="hold 10 points"):
        chosen_points(line, 10, 5)
