"""Accuracy of a quantized detector at several ratios, on the same canvases, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from mixarray.errors import InputError
from mixarray.trace.padding import Padding
from mixarray_traces.allocator import keep_freed_memory
from mixarray_traces.data.canvas import Canvas, open_source
from mixarray_traces.data.items import Split
from mixarray_traces.detection.average_precision import (
    CanvasRecord,
    Resampled,
    average_precision,
)
from mixarray_traces.detection.evaluate import EVALUATION_SIZE, match_detections
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.model.config import DetectorConfig
from mixarray_traces.model.decode import decode
from mixarray_traces.model.kinds import kind_of
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.network import NetworkRun, Plan
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import AnyRatios, Ratios, pairs_text, ratios_at
from mixarray_traces.record.recorder import image_facts

Progress = Callable[[int, int], None]
"""Called with (done, total): canvases times settings."""
Planner = Callable[[tuple[ImageFacts, ...]], Plan]
"""How to run images of which these facts are known."""


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """Accuracy at one setting of the ratios.

    ratio, pruning: nominal compression and pruning ratio in thousandths, the mean where pairs differ; ratio_actual,
    pruning_actual: shares of low and of pruned windows, counted. pair_ratios, pair_pruning: those of every block
    pair as `quantization.ratios.pairs_text` writes them.
    ap50, ap: average precision at IoU 0.50, and over 0.50 to 0.95, both 0 to 1. ap50_low, ap50_high: 95 % bootstrap
    interval over canvases. difference_low, difference_high: paired interval of AP50 minus that of ratio 0 without
    pruning on the same canvases; NaN where that was not evaluated. padding: what ran on padded positions. samples: AP50
    in the resamples of the canvases behind the intervals; those of rows on the same canvases may be subtracted one by
    one. arithmetic: `float` for the model before quantization (ratios do not apply and are 0).
    """

    ratio: int
    ratio_actual: float
    ap50: float
    ap50_low: float
    ap50_high: float
    ap: float
    n: int
    score: str
    difference_low: float
    difference_high: float
    pruning: int = 0
    pruning_actual: float = 0.0
    pair_ratios: str = ""
    pair_pruning: str = ""
    padding: Padding = Padding.ATTENTION
    samples: tuple[float, ...] = field(default=(), repr=False)
    arithmetic: ArithmeticKind = ArithmeticKind.FAKE


@dataclass
class Collected:
    """What one setting found, canvas by canvas: matched detections, and the shares of low and of pruned windows."""

    records: list[CanvasRecord] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    pruned: list[float] = field(default_factory=list)

    @property
    def shares(self) -> tuple[float, float]:
        """Mean shares of low and of pruned windows."""
        return float(np.mean(self.low)), float(np.mean(self.pruned))


def evaluate(
    model: QuantizedDetector,
    ratios: Sequence[AnyRatios],
    n: int = 100,
    size: int = EVALUATION_SIZE,
    split: Split = Split.TEST,
    seed: int = 0,
    score: str = DEFAULT_SCORE,
    batch: int = 4,
    progress: Progress | None = None,
    arithmetic: ArithmeticKind = ArithmeticKind.FAKE,
    padding: Padding = Padding.ATTENTION,
) -> list[EvaluationRow]:
    """One row per setting of the ratios, in the order given, over the first n canvases of a stream.

    Raises InputError for a ratio or score that is not allowed.
    """
    settings = [ratios_at(asked, model.depths) for asked in ratios]

    def planner(setting: Ratios) -> Planner:
        return lambda facts: model.plan(setting, facts, score, padding)

    planners = [planner(setting) for setting in settings]
    found = collect(model, planners, n, size, split, seed, batch, progress, arithmetic)
    reference = reference_of(settings, found)
    rows = zip(settings, found, strict=True)
    return [row_of(one, part, reference, score, padding, arithmetic) for one, part in rows]


def collect(
    model: QuantizedDetector,
    planners: Sequence[Planner],
    n: int,
    size: int = EVALUATION_SIZE,
    split: Split = Split.TEST,
    seed: int = 0,
    batch: int = 4,
    progress: Progress | None = None,
    arithmetic: ArithmeticKind = ArithmeticKind.FAKE,
) -> list[Collected]:
    """Run the first n canvases of a stream under every plan; InputError for a plan or a number that is not allowed."""
    if n < 1:
        raise InputError("evaluate", f"{n} canvases; at least 1", "n")
    keep_freed_memory()
    for planner in planners:
        planner(())
    source = open_source(split)
    found = [Collected() for _ in planners]
    for start in range(0, n, batch):
        numbers = range(start, min(start + batch, n))
        canvases = [source.draw(seed, index, size) for index in numbers]
        facts = tuple(image_facts(seed, i, canvas.boxes) for i, canvas in zip(numbers, canvases, strict=True))
        plans = [planner(facts) for planner in planners]
        for done, _ in enumerate(detect_into(model, canvases, plans, arithmetic, found), start=1):
            if progress:
                progress(numbers.start * len(planners) + len(numbers) * done, n * len(planners))
    return found


def detect_into(
    model: QuantizedDetector,
    canvases: Sequence[Canvas],
    plans: Sequence[Plan],
    arithmetic: ArithmeticKind,
    into: Sequence[Collected],
) -> Iterator[int]:
    """Run canvases of one size under every plan, add what was found at the place of each; yields places as they end."""
    config = detector_config(model)
    images = np.stack([canvas.image for canvas in canvases])
    for place, run in model.run_plans(model.detector.to_input(images), plans, model.arithmetic(arithmetic)):
        detections = decode(run.output, config.stride, *images.shape[1:3])
        pairs = zip(detections, canvases, strict=True)
        into[place].records += [match_detections(one, canvas, config.num_classes) for one, canvas in pairs]
        into[place].low += [low_share(run)] * len(canvases)
        into[place].pruned += [pruned_share(run)] * len(canvases)
        yield place


def detector_config(model: QuantizedDetector) -> DetectorConfig:
    """The shape of a detector; InputError for another kind of model, which has no boxes to evaluate."""
    config = model.detector.config
    if not isinstance(config, DetectorConfig):
        raise InputError("model", f"is a {kind_of(config)}; average precision is for detectors")
    return config


def low_share(run: NetworkRun) -> float:
    """Share of low windows among all windows of all blocks."""
    return sum(int(block.low.sum()) for block in run.windows) / sum(block.low.numel() for block in run.windows)


def pruned_share(run: NetworkRun) -> float:
    """Share of pruned windows among all windows of all blocks."""
    return sum(int(block.pruned.sum()) for block in run.windows) / sum(block.pruned.numel() for block in run.windows)


def reference_of(settings: Sequence[Ratios], found: Sequence[Collected]) -> Resampled | None:
    """What ratio 0 without pruning found, where it is among the settings."""
    high = (part for one, part in zip(settings, found, strict=True) if one.all_high)
    part = next(high, None)
    return None if part is None else Resampled.of(part.records)


def row_of(
    ratios: Ratios,
    found: Collected,
    reference: Resampled | None,
    score: str,
    padding: Padding,
    arithmetic: ArithmeticKind,
) -> EvaluationRow:
    """The row of one setting; `reference` is what ratio 0 without pruning found on the same canvases, if it ran."""
    records = found.records
    precision, resampled = average_precision(records), Resampled.of(records)
    interval, low, high = resampled.interval(), float("nan"), float("nan")
    if reference is not None:
        difference = resampled.minus(reference)
        low, high = difference.low, difference.high
    low_share_actual, pruned_share_actual = found.shares
    return EvaluationRow(
        ratio=ratios.nominal,
        ratio_actual=low_share_actual,
        ap50=precision.ap50,
        ap50_low=interval.low,
        ap50_high=interval.high,
        ap=precision.ap50_95,
        n=len(records),
        score=score,
        difference_low=low,
        difference_high=high,
        pruning=ratios.nominal_pruning,
        pruning_actual=pruned_share_actual,
        pair_ratios=pairs_text(ratios.compression),
        pair_pruning=pairs_text(ratios.pruning),
        padding=padding,
        samples=tuple(resampled.samples.tolist()),
        arithmetic=arithmetic,
    )
