"""The order of windows: ranks from scores, and the scores of a random order. No torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rank_windows(scores: NDArray[np.floating]) -> NDArray[np.int64]:
    """Rank of every window along the last axis, 0 for the highest score; of equal scores the lower number leads."""
    order = np.argsort(-scores, axis=-1, kind="stable")
    return np.argsort(order, axis=-1, kind="stable")


def random_scores(seed: int, stage: int, shifted: bool, windows: int) -> NDArray[np.float64]:
    """Uniform in 0 to 1, (windows,), from an image's seed, the stage and the grid alone."""
    return np.random.default_rng((seed, stage, int(shifted))).random(windows)
