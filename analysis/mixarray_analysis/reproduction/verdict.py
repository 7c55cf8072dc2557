"""Differences of AP50 with their intervals, and what may be said of them: a rule, applied to every claim alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mixarray_analysis.reproduction.results import Measured, NotMeasuredError
from mixarray_traces.detection.average_precision import basic_interval


class Verdict(StrEnum):
    """SEEN: the interval lies above 0, and so does every seed. OPPOSITE: both lie below 0.

    WITHIN_NOISE: everything else. It confirms no difference, and no equality either.
    """

    SEEN = "seen"
    OPPOSITE = "opposite"
    WITHIN_NOISE = "within noise"


@dataclass(frozen=True, slots=True)
class Difference:
    """AP50 of one minus that of another, by seed of the training (one entry where nothing was trained).

    low, high: 95 % interval of the mean over the seeds, from the canvases alone; paired where both ran on the same
    canvases and the resamples say so, else `paired` is False and the interval is wider than it need be.
    """

    seeds: tuple[float, ...]
    low: float
    high: float
    n: int
    paired: bool = True

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return sum(self.seeds) / len(self.seeds)

    @property
    def verdict(self) -> Verdict:
        """Of the claim that the difference is above 0, or at least not below."""
        if self.low > 0 and min(self.seeds) > 0:
            return Verdict.SEEN
        if self.high < 0 and max(self.seeds) < 0:
            return Verdict.OPPOSITE
        return Verdict.WITHIN_NOISE


def difference(ones: Sequence[Measured], others: Sequence[Measured]) -> Difference:
    """Seed by seed, paired over canvases; NotMeasuredError where they are not of equally many canvases.

    The interval is the basic bootstrap interval that `mixarray evaluate` prints, of the mean over seeds.
    """
    counts = {one.n for one in (*ones, *others)}
    if len(counts) > 1:
        raise NotMeasuredError(f"on equal canvases (now {', '.join(map(str, sorted(counts)))})")
    seeds = tuple(one.ap50 - other.ap50 for one, other in zip(ones, others, strict=True))
    samples = np.mean([one.samples - other.samples for one, other in zip(ones, others, strict=True)], axis=0)
    interval = basic_interval(float(np.mean(seeds)), samples)
    return Difference(seeds, interval.low, interval.high, counts.pop())
