"""Top-1 accuracy with bootstrap intervals over images.

The bootstrap (Efron 1979) draws n images with replacement. A resample's accuracy depends only on how many of the drawn
images are right, so the counts are drawn, not the images: the same distribution, at no cost for many images.
Intervals are percentiles: a mean needs no correction for bias.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mixarray_traces.detection.average_precision import Interval

Correct = npt.NDArray[np.bool_]
"""Which images were classified rightly, (images,)."""


def top1_interval(correct: Correct, n: int = 1000, seed: int = 0, level: float = 0.95) -> Interval:
    """Share of images classified rightly, 0 to 1, with its interval from `n` resamples; ValueError for no images."""
    right = np.array([np.count_nonzero(correct), np.count_nonzero(~correct)])
    return _interval(right, np.array([1.0, 0.0]), n, seed, level)


def top1_difference(
    correct: Correct, reference: Correct, n: int = 1000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Top-1 of `correct` minus that of `reference` on the same images, paired; ValueError where the lengths differ."""
    if len(correct) != len(reference):
        raise ValueError(f"{len(correct)} images against {len(reference)} of the reference")
    gained, lost = np.count_nonzero(correct & ~reference), np.count_nonzero(reference & ~correct)
    counts = np.array([gained, lost, len(correct) - gained - lost])
    return _interval(counts, np.array([1.0, -1.0, 0.0]), n, seed, level)


def _interval(
    counts: npt.NDArray[np.int64], values: npt.NDArray[np.float64], n: int, seed: int, level: float
) -> Interval:
    total = int(counts.sum())
    if not total:
        raise ValueError("accuracy of no images")
    rng = np.random.default_rng(np.random.SeedSequence((seed, total)))
    samples = rng.multinomial(total, counts / total, size=n) @ values / total
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(counts @ values / total), float(low), float(high))
