"""Top-1 intervals: closed forms, and the resampling of images they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray_traces.classification.accuracy import top1_difference, top1_interval


def flags(*counts: int) -> np.ndarray:
    return np.repeat(np.array([True, False]), counts)


def test_all_right_and_all_wrong_have_no_width() -> None:
    for right in (True, False):
        interval = top1_interval(np.full(9, right))
        assert (interval.value, interval.low, interval.high) == (right, right, right)


def test_width_is_that_of_a_binomial() -> None:
    """n = 10,000 at 0.3: 1.96 standard deviations each side."""
    interval = top1_interval(flags(3000, 7000), n=20000)
    spread = 1.96 * np.sqrt(0.3 * 0.7 / 10000)
    assert interval.value == pytest.approx(0.3)
    assert interval.high - interval.value == pytest.approx(spread, rel=0.05)
    assert interval.value - interval.low == pytest.approx(spread, rel=0.05)


def test_pairing_counts_only_the_images_that_changed() -> None:
    """Of 10,000 images 100 are gained and 100 lost: the difference has the variance of 200 signs, not of two means."""
    reference = flags(5000, 5000)
    changed = reference.copy()
    changed[:100], changed[-100:] = False, True
    interval = top1_difference(changed, reference, n=20000)
    assert interval.value == 0
    assert interval.high == pytest.approx(1.96 * np.sqrt(200) / 10000, rel=0.06)
    assert interval.low == pytest.approx(-interval.high, rel=0.06)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30), st.integers(0, 3))
def test_the_interval_of_images_drawn_one_by_one(pairs: list[tuple[bool, bool]], seed: int) -> None:
    """Drawing counts is drawing images: the same mean and deviation over resamples."""
    ours, theirs = (np.array(part) for part in zip(*pairs, strict=True))
    difference = ours.astype(int) - theirs.astype(int)
    drawn = np.random.default_rng(seed).choice(difference, size=(4000, len(pairs))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    found = top1_difference(ours, theirs, n=4000, seed=seed)
    assert found.value == pytest.approx(difference.mean())
    assert abs(found.low - low) <= 1.5 / len(pairs) + 1e-12
    assert abs(found.high - high) <= 1.5 / len(pairs) + 1e-12


def test_refusals() -> None:
    with pytest.raises(ValueError, match="accuracy of no images"):
        top1_interval(flags(0, 0))
    with pytest.raises(ValueError, match="3 images against 2"):
        top1_difference(flags(3, 0), flags(1, 1))
