"""The space of ratios: repair, enumeration, and what its settings mean."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray_analysis.search.space import Space

SHIPPED = (2, 2, 6)


def test_the_shipped_model_has_a_space_that_can_be_enumerated() -> None:
    space = Space.of_depths(SHIPPED)
    assert space.pairs == (1, 1, 3)
    assert space.size == 9 * 9 * comb(11, 3) == len(set(space.every()))


def test_enumeration_is_all_that_repair_leaves_alone() -> None:
    space = Space((1, 2), pruning=True)
    every = np.array(list(product(range(9), repeat=space.genes)), dtype=np.int64)
    repaired = space.repair(every)
    fixed = every[(repaired == every).all(axis=1)]
    assert {tuple(row) for row in fixed.tolist()} == set(space.every())
    assert len(fixed) == space.size


@given(st.lists(st.integers(-3, 12), min_size=10, max_size=10), st.booleans())
def test_repaired_settings_are_allowed_and_stay(drawn: list[int], pruning: bool) -> None:
    space = Space((1, 1, 3), pruning)
    row = np.array([drawn[: space.genes]], dtype=np.int64)
    repaired = space.repair(row)
    ratios = space.ratios(tuple(repaired[0].tolist()))  # raises where the ratios of a stage fall
    assert all(0 <= one <= 800 for stage in (*ratios.compression, *ratios.pruning) for one in stage)
    assert np.array_equal(space.repair(repaired), repaired)


def test_repair_without_pruning_sorts_each_stage() -> None:
    drawn = np.array([[8, 1, 5, 0, 3]], dtype=np.int64)
    assert Space((1, 1, 3)).repair(drawn).tolist() == [[8, 1, 0, 3, 5]]


def test_repair_lets_compression_give_way_to_pruning() -> None:
    drawn = np.array([[8, 8, 5, 0]], dtype=np.int64)
    assert Space((2,), pruning=True).repair(drawn).tolist() == [[8, 5, 0, 5]]


def test_genes_are_tenths_of_compression_then_pruning() -> None:
    ratios = Space((1, 2), pruning=True).ratios((1, 2, 3, 4, 5, 6))
    assert ratios.compression == ((100,), (200, 300))
    assert ratios.pruning == ((400,), (500, 600))


def test_unrepaired_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="must not fall"):
        Space((2,)).ratios((5, 1))
