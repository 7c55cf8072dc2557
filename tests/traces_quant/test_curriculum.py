"""The curriculum: which images an iteration may draw from."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mixarray_traces.quantization.aiqvit_options import AiqvitOptions
from mixarray_traces.quantization.curriculum import Curriculum, make_curriculum

OPTIONS = AiqvitOptions(first_share_thousandths=300, ramp_thousandths=500)


def test_easy_images_come_first_and_ties_by_number() -> None:
    made = make_curriculum([0.3, 0.1, 0.2, 0.1], range(4), OPTIONS, total=10)
    assert made.numbers == (1, 3, 2, 0)
    assert make_curriculum([0.3, 0.1, 0.2, 0.1], [0, 2], OPTIONS, total=10).numbers == (2, 0)


def test_the_share_grows_linearly_to_all() -> None:
    """f0 = 0.3, T' = 5 of 10 iterations: 10 images."""
    made = make_curriculum([0.0] * 10, range(10), OPTIONS, total=10)
    assert [made.seen(iteration) for iteration in range(8)] == [3, 5, 6, 8, 9, 10, 10, 10]


def test_without_a_curriculum_all_are_seen_from_the_start() -> None:
    made = make_curriculum([0.0] * 10, range(10), replace(OPTIONS, curriculum=False), total=10)
    assert [made.seen(iteration) for iteration in (0, 9)] == [10, 10]


@given(st.integers(1, 40), st.integers(1, 1000), st.integers(1, 30), st.integers(1, 6), st.integers(0, 60))
def test_draws_are_different_images_of_the_pool(n: int, first: int, ramp: int, batch: int, iteration: int) -> None:
    made = Curriculum(tuple(range(n)), first, ramp)
    drawn = made.draw(iteration, batch, Random(iteration))
    assert drawn == made.draw(iteration, batch, Random(iteration))
    assert drawn == sorted(set(drawn))
    assert len(drawn) == min(batch, made.seen(iteration))
    assert 1 <= made.seen(iteration) <= made.seen(iteration + 1) <= n
    assert max(drawn) < made.seen(iteration)
    assert made.seen(ramp) == n
