"""What the ranking of the windows is worth: the score, its reverse, chance and the oracle at equal ratios.

All run on the same canvases at the same group sizes, so they cost the same; only which windows run low or are pruned
differs. MixA-Q's ablation reverses the ranking as its worst case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mixarray.trace.padding import Padding
from mixarray_traces.data.items import Split
from mixarray_traces.detection.average_precision import Resampled, average_precision
from mixarray_traces.detection.evaluate import EVALUATION_SIZE
from mixarray_traces.evaluation import Collected, Planner, Progress, collect
from mixarray_traces.importance.context import ImageFacts, Score
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.importance.registry import load_score
from mixarray_traces.importance.reverse import reverse
from mixarray_traces.quantization.network import Plan
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import AnyRatios, Ratios, pairs_text, ratios_at


class Ranking(StrEnum):
    """TRUE: the score itself. REVERSED: its reverse. RANDOM: a draw per image. ORACLE: the boxes, known beforehand."""

    TRUE = "true"
    REVERSED = "reversed"
    RANDOM = "random"
    ORACLE = "oracle"


@dataclass(frozen=True, slots=True)
class RankingRow:
    """Accuracy of one ranking at one setting of the ratios.

    score: the one that ranked first. compression, pruning: nominal ratios of every block pair
    (`quantization.ratios.pairs_text`); low_actual, pruned_actual: counted shares of windows, 0 to 1. ap50, ap: average
    precision at IoU 0.50 and over 0.50 to 0.95, 0 to 1, on n canvases; ap50_low, ap50_high: 95 % bootstrap interval.
    difference and its interval: AP50 minus that of the true ranking at the same ratios, paired over canvases; 0 of the
    true ranking itself, NaN where that was not asked for.
    """

    ranking: Ranking
    score: str
    compression: str
    pruning: str
    promotion: str
    low_actual: float
    pruned_actual: float
    ap50: float
    ap50_low: float
    ap50_high: float
    ap: float
    n: int
    difference: float
    difference_low: float
    difference_high: float


def compare_rankings(
    model: QuantizedDetector,
    ratios: Sequence[AnyRatios],
    n: int = 100,
    size: int = EVALUATION_SIZE,
    split: Split = Split.TEST,
    seed: int = 0,
    score: str = DEFAULT_SCORE,
    rankings: Sequence[Ranking] = tuple(Ranking),
    padding: Padding = Padding.ATTENTION,
    progress: Progress | None = None,
) -> list[RankingRow]:
    """Every ranking at every setting of the ratios, over the first n canvases of a stream; `score` is the true one.

    Raises InputError for ratios or a score that are not allowed, and for a model that is no detector.
    """
    settings = [ratios_at(asked, model.depths) for asked in ratios]
    places = [(setting, ranking) for setting in settings for ranking in rankings]
    planners = [_planner(model, setting, score_of(ranking, score), padding) for setting, ranking in places]
    found = dict(zip(places, collect(model, planners, n, size, split, seed, progress=progress), strict=True))
    resampled = {place: Resampled.of(part.records) for place, part in found.items()}
    return [
        _row(ranking, score, setting, part, resampled[setting, ranking], resampled.get((setting, Ranking.TRUE)))
        for (setting, ranking), part in found.items()
    ]


def score_of(ranking: Ranking, score: str) -> Score:
    """The score that ranks like this; `score` is the true one's name. InputError for an unknown one."""
    true = load_score(score)
    if ranking is Ranking.TRUE:
        return true
    return reverse(true) if ranking is Ranking.REVERSED else load_score(ranking.value)


def _planner(model: QuantizedDetector, ratios: Ratios, score: Score, padding: Padding) -> Planner:
    def plan(facts: tuple[ImageFacts, ...]) -> Plan:
        return replace(model.plan(ratios, facts, padding=padding), score=score)

    return plan


def _row(
    ranking: Ranking, score: str, ratios: Ratios, found: Collected, resampled: Resampled, true: Resampled | None
) -> RankingRow:
    precision, interval = average_precision(found.records), resampled.interval()
    low, pruned = found.shares
    return RankingRow(
        ranking,
        score,
        pairs_text(ratios.compression),
        pairs_text(ratios.pruning),
        ratios.promotion.value,
        low,
        pruned,
        precision.ap50,
        interval.low,
        interval.high,
        precision.ap50_95,
        len(found.records),
        *_difference(resampled, true),
    )


def _difference(resampled: Resampled, true: Resampled | None) -> tuple[float, float, float]:
    if true is None:
        return float("nan"), float("nan"), float("nan")
    paired = resampled.minus(true)
    return paired.value, paired.low, paired.high
