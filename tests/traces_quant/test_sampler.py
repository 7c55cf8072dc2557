"""Ratios of a step: the law of SAQA's sums, the law given the sum, order, SparseViT's tenths, random window counts.

Kolmogorov-Smirnov at a level of 0.001 with fixed seeds: D below 1.95 / sqrt(n) for laws that are right.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixarray.trace.ratio import group_sizes
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.training.qat.sampler import (
    LARGEST,
    both_of_step,
    draw_given_sum,
    draw_pruning,
    draw_ratios,
    draw_uniform_sum,
    pruning_of_step,
    ratios_of_step,
    with_random_counts,
)

N = 4000
Law = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def distance(values: NDArray[np.float64], law: Law) -> float:
    """Largest gap between the empirical distribution and `law`, the cumulative one."""
    expected = law(np.sort(values))
    steps = np.arange(len(values) + 1) / len(values)
    return float(max(np.max(steps[1:] - expected), np.max(expected - steps[:-1])))


def fits(values: NDArray[np.float64], law: Law) -> bool:
    return distance(values, law) < 1.95 / math.sqrt(len(values))


def uniform(low: float, high: float) -> Law:
    return lambda x: np.clip((x - low) / (high - low), 0, 1)


def one_of_three(total: float) -> Law:
    """The first of three ratios with a given sum: its density is the length of the line that the others may lie on."""

    def law(x: NDArray[np.float64]) -> NDArray[np.float64]:
        grid = np.linspace(0, LARGEST, 20_001)
        rest = total - grid
        density = np.clip(np.minimum(rest, LARGEST) - np.maximum(rest - LARGEST, 0), 0, None)
        sums = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2)))
        return np.interp(x, grid, sums / sums[-1])

    return law


@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_the_sum_is_uniform(count: int) -> None:
    rng = np.random.default_rng(count)
    sums = np.array([draw_uniform_sum(rng, count).sum() for _ in range(N)])
    assert fits(sums, uniform(0, LARGEST * count))


def test_independent_ratios_would_crowd_their_sum_at_the_middle() -> None:
    rng = np.random.default_rng(0)
    sums = rng.uniform(0, LARGEST, (N, 5)).sum(axis=1)
    assert not fits(sums, uniform(0, LARGEST * 5))


@pytest.mark.parametrize("total", [0.3, 0.8, 1.1, 1.5])
def test_two_ratios_given_their_sum(total: float) -> None:
    rng = np.random.default_rng(int(total * 10))
    drawn = np.array([draw_given_sum(rng, 2, total) for _ in range(N)])
    np.testing.assert_allclose(drawn.sum(axis=1), total, rtol=0, atol=1e-12)
    assert drawn.min() >= 0
    assert drawn.max() <= LARGEST
    assert fits(drawn[:, 0], uniform(max(0, total - LARGEST), min(LARGEST, total)))


@pytest.mark.parametrize("total", [0.5, 1.2, 1.4, 2.1])
def test_three_ratios_given_their_sum(total: float) -> None:
    rng = np.random.default_rng(int(total * 10))
    drawn = np.array([draw_given_sum(rng, 3, total) for _ in range(N)])
    assert all(fits(drawn[:, place], one_of_three(total)) for place in range(3))
    independent = rng.uniform(0, LARGEST, (400_000, 3))
    reference = independent[np.abs(independent.sum(axis=1) - total) < 0.02][:N, 0]
    assert fits(reference, one_of_three(total))  # the law itself, by brute force
    clipped = np.minimum(rng.dirichlet(np.ones(3), N) * total, LARGEST)
    normalised = rng.uniform(0, 1, (N, 3))
    normalised *= total / normalised.sum(axis=1, keepdims=True)
    assert not fits(normalised[:, 0], one_of_three(total))  # the fault: uniform numbers scaled to the sum
    assert total < LARGEST or not fits(clipped[:, 0], one_of_three(total))  # the fault: no rejection


def test_ratios_are_thousandths_that_rise_within_a_stage() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        pairs = draw_ratios(rng, (2, 2, 6))
        assert [len(stage) for stage in pairs] == [1, 1, 3]
        assert Ratios(pairs).compression == pairs
        assert all(type(ratio) is int for stage in pairs for ratio in stage)


def test_rounding_leaves_the_sum_uniform() -> None:
    rng = np.random.default_rng(7)
    sums = np.array([sum(sum(stage) for stage in draw_ratios(rng, (2, 2, 6))) for _ in range(N)]) / 1000
    assert fits(sums, uniform(0, LARGEST * 5))


def test_a_step_draws_the_same_ratios_again_and_others_elsewhere() -> None:
    first = ratios_of_step(3, 5, (2, 2, 6), (16, 4, 1))
    assert ratios_of_step(3, 5, (2, 2, 6), (16, 4, 1)) == first
    assert ratios_of_step(3, 6, (2, 2, 6), (16, 4, 1)) != first
    assert ratios_of_step(4, 5, (2, 2, 6), (16, 4, 1)) != first


def test_sparsevits_tenths_are_uniform_from_the_pair_before_to_eight() -> None:
    """Of three pairs in a stage: every triple t1 <= t2 <= t3 has the chance 1/9 1/(9 - t1) 1/(9 - t2)."""
    rng = np.random.default_rng(0)
    drawn = Counter(draw_pruning(rng, (2, 6))[1] for _ in range(40_000))
    triples = [(a, b, c) for a in range(9) for b in range(a, 9) for c in range(b, 9)]
    assert {tuple(ratio // 100 for ratio in stage) for stage in drawn} <= set(triples)
    expected = np.array([40_000 / 9 / (9 - a) / (9 - b) for a, b, _ in triples])
    counts = np.array([drawn[a * 100, b * 100, c * 100] for a, b, c in triples])
    assert chi_square(counts, expected) < 230  # 164 degrees of freedom: 0.999 lies at 223
    sorted_uniform = np.array([40_000 / 729 * len(set(permutations(one))) for one in triples])
    assert chi_square(counts, sorted_uniform) > 1000  # the fault: independent tenths, sorted


def chi_square(counts: NDArray[np.int64], expected: NDArray[np.float64]) -> float:
    return float(((counts - expected) ** 2 / expected).sum())


def test_a_step_of_the_adaptation_prunes_and_compresses_nothing() -> None:
    first = pruning_of_step(3, 5, (2, 2, 6), (16, 4, 1))
    assert first.compression == ((0,), (0,), (0, 0, 0))
    assert pruning_of_step(3, 5, (2, 2, 6), (16, 4, 1)) == first
    others = [pruning_of_step(*place, (2, 2, 6), (16, 4, 1)) for place in ((3, 6), (4, 5))]
    assert first not in others
    exact = [pruning_of_step(3, step, (2, 2, 6), None) for step in range(50)]
    assert all(ratio % 100 == 0 for one in exact for stage in one.pruning for ratio in stage)
    assert max(ratio for one in exact for stage in one.pruning for ratio in stage) == 800


def test_both_share_saqas_law() -> None:
    """Sums of both have SAQA's distribution; of every sum the same share is pruned, and that is uniform."""
    drawn = [both_of_step(0, step, (2, 2, 6), None) for step in range(N)]
    low, pruned = (
        np.array([[r for stage in pairs for r in stage] for pairs in kinds])
        for kinds in zip(*((one.compression, one.pruning) for one in drawn), strict=True)
    )
    taken = low + pruned
    assert fits(taken.sum(axis=1) / 1000, uniform(0, LARGEST * 5))
    large = taken.min(axis=1) > 100
    shares = pruned[large] / taken[large]
    assert np.ptp(shares, axis=1).max() <= 0.01
    assert fits(shares[:, 0], uniform(0, 1))


def test_random_counts_of_both_are_right_in_the_mean_and_nested() -> None:
    """`Ratios` itself refuses what falls within a stage."""
    windows, depths = (16, 4, 1), (2, 2, 6)
    places = [(stage, block) for stage, depth in enumerate(depths) for block in range(0, depth, 2)]
    errors = []
    for step in range(3000):
        exact, rounded = (both_of_step(1, step, depths, counts) for counts in (None, windows))
        for stage, block in places:
            _, low, pruned = rounded.sizes(stage, block, windows[stage])
            p, q = (pairs[stage][block // 2] for pairs in (exact.pruning, exact.compression))
            errors.append((pruned - windows[stage] * p / 1000, low - windows[stage] * q / 1000))
    assert np.abs(np.mean(errors, axis=0)).max() < 4 * 0.5 / math.sqrt(len(errors))
    assert np.abs(errors).max() < 1 + 1e-9


@pytest.mark.parametrize("ratio", [0, 1, 250, 333, 777, 800])
@pytest.mark.parametrize("windows", [1, 4, 9, 16])
def test_random_counts_are_right_in_the_mean(ratio: int, windows: int) -> None:
    """Inference rounds up: of one window it makes a low one at every ratio above 0."""
    rng = np.random.default_rng(ratio + windows)
    low = [group_sizes(windows, with_random_counts(rng, ((ratio,),), (windows,))[0][0], 0)[1] for _ in range(3000)]
    exact = windows * ratio / 1000
    assert set(low) <= {math.floor(exact), math.ceil(exact)}
    assert np.mean(low) == pytest.approx(exact, abs=4 * 0.5 / math.sqrt(3000))
    rounded_up = group_sizes(windows, ratio, 0)[1]
    assert rounded_up == math.ceil(exact)


@given(st.lists(st.integers(0, 800), min_size=3, max_size=3).map(sorted), st.integers(1, 64), st.integers(0, 1000))
def test_random_counts_keep_ratios_rising(stage: list[int], windows: int, seed: int) -> None:
    found = with_random_counts(np.random.default_rng(seed), (tuple(stage),), (windows,))
    assert list(found[0]) == sorted(found[0])
    assert max(found[0]) <= 800
