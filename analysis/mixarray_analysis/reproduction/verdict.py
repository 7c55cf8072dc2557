"""Differences of AP50 with their intervals, and what may be said of them: a rule, applied to every claim alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mixarray_analysis.reproduction.results import Floats, Measured, NotMeasuredError
from mixarray_traces.detection.average_precision import basic_interval

Sides = tuple[Sequence[Measured], Sequence[Measured]]
"""What two sides of a comparison measured, one entry per seed."""


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
    pairs = list(zip(ones, others, strict=True))
    seeds = tuple(one.ap50 - other.ap50 for one, other in pairs)
    return _over_seeds(seeds, [one.samples - other.samples for one, other in pairs], (*ones, *others))


def change(before: Sides, after: Sides) -> Difference:
    """The difference of two sides after, minus that before; all four ran on the same canvases."""
    fours = list(zip(*before, *after, strict=True))
    seeds = tuple(three.ap50 - four.ap50 - one.ap50 + two.ap50 for one, two, three, four in fours)
    samples = [three.samples - four.samples - one.samples + two.samples for one, two, three, four in fours]
    return _over_seeds(seeds, samples, [one for four in fours for one in four])


def _over_seeds(seeds: tuple[float, ...], samples: Sequence[Floats], ran: Iterable[Measured]) -> Difference:
    counts = {one.n for one in ran}
    if len(counts) > 1:
        raise NotMeasuredError(f"on equal canvases (now {', '.join(map(str, sorted(counts)))})")
    interval = basic_interval(float(np.mean(seeds)), np.mean(samples, axis=0))
    return Difference(seeds, interval.low, interval.high, counts.pop())
