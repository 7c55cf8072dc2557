"""The rule of the verdicts, and intervals of differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray_analysis.reproduction.results import Measured, NotMeasuredError
from mixarray_analysis.reproduction.verdict import Difference, Verdict, change, difference

SCATTER = np.random.default_rng(1).normal(0, 0.01, 1000)


def measured(ap50: float, scatter: np.ndarray = SCATTER, n: int = 100) -> Measured:
    return Measured(0, 0, 0.0, 0.0, ap50, ap50 - 0.02, ap50 + 0.02, n, ap50 + scatter)


@pytest.mark.parametrize(
    ("seeds", "low", "high", "verdict"),
    [
        ((0.02,), 0.01, 0.03, Verdict.SEEN),
        ((-0.02,), -0.03, -0.01, Verdict.OPPOSITE),
        ((0.02,), -0.01, 0.05, Verdict.WITHIN_NOISE),
        ((0.03, 0.03, -0.001), 0.01, 0.03, Verdict.WITHIN_NOISE),
        ((-0.03, -0.03, 0.001), -0.03, -0.01, Verdict.WITHIN_NOISE),
        ((0.0,), 0.0, 0.0, Verdict.WITHIN_NOISE),
    ],
)
def test_the_rule(seeds: tuple[float, ...], low: float, high: float, verdict: Verdict) -> None:
    assert Difference(seeds, low, high, 100).verdict is verdict


@given(st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=3), st.floats(0, 0.05))
def test_turning_a_claim_round_turns_its_verdict_round(seeds: list[float], half: float) -> None:
    mean = sum(seeds) / len(seeds)
    one = Difference(tuple(seeds), mean - half, mean + half, 100)
    other = Difference(tuple(-seed for seed in seeds), -one.high, -one.low, 100)
    turned = {Verdict.SEEN: Verdict.OPPOSITE, Verdict.OPPOSITE: Verdict.SEEN}
    assert other.verdict is turned.get(one.verdict, Verdict.WITHIN_NOISE)


def test_noise_of_the_canvases_that_both_share_cancels() -> None:
    paired = difference([measured(0.71)], [measured(0.70)])
    assert (paired.low, paired.high) == pytest.approx((0.01, 0.01))
    strangers = difference([measured(0.71, SCATTER[::-1])], [measured(0.70)])
    assert strangers.high - strangers.low > 0.04


def test_the_interval_is_the_reflected_one() -> None:
    lifted = measured(0.71, np.linspace(0.0, 0.04, 1000))
    found = difference([lifted], [measured(0.70, np.zeros(1000))])
    assert (found.low, found.high) == pytest.approx((0.01 - 0.039, 0.01 - 0.001))


def test_seeds_are_compared_one_by_one() -> None:
    found = difference([measured(0.71), measured(0.75)], [measured(0.70), measured(0.72)])
    assert found.seeds == pytest.approx((0.01, 0.03))
    assert found.mean == pytest.approx(0.02)


def test_other_canvases_are_not_compared() -> None:
    with pytest.raises(NotMeasuredError, match="50, 100"):
        difference([measured(0.7)], [measured(0.7, n=50)])


def test_a_change_is_the_difference_of_differences_and_paired() -> None:
    """What scatters alike on all four sides cancels; what scatters on one alone stays."""
    scatter = SCATTER[::-1]
    before, after = ([measured(0.70)], [measured(0.72)]), ([measured(0.75)], [measured(0.71)])
    moved = change(before, after)
    assert moved.mean == pytest.approx(0.06)
    assert (moved.low, moved.high) == pytest.approx((0.06, 0.06))
    alone = change(before, ([measured(0.75, SCATTER + scatter)], [measured(0.71)]))
    assert (alone.low, alone.high) == pytest.approx((0.12 - _low_and_high(scatter, 0.06)[::-1]).tolist())


def _low_and_high(scatter: np.ndarray, mean: float) -> np.ndarray:
    return np.quantile(mean + scatter, [0.025, 0.975])


def test_a_change_is_refused_on_unlike_canvases() -> None:
    side = [measured(0.7)], [measured(0.7)]
    with pytest.raises(NotMeasuredError, match="equal canvases"):
        change(side, ([measured(0.7, n=50)], [measured(0.7, n=50)]))
