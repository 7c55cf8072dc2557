"""Accuracy of a quantized detector at several ratios, on the same canvases, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mixarray.errors import InputError
from mixarray_traces.allocator import keep_freed_memory
from mixarray_traces.data.canvas import Canvas, open_source
from mixarray_traces.data.items import Split
from mixarray_traces.detection.average_precision import (
    CanvasRecord,
    average_precision,
    bootstrap_difference,
    bootstrap_interval,
)
from mixarray_traces.detection.evaluate import EVALUATION_SIZE, match_detections
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.model.decode import Detections, decode
from mixarray_traces.model.detector import images_to_input
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.network import NetworkRun
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.record.recorder import image_facts

Progress = Callable[[int, int], None]
"""Called with (done, total): canvases times ratios."""


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """Accuracy at one ratio. Ratios in thousandths are nominal; `ratio_actual` is the share of low windows, counted.

    ap50, ap: average precision at IoU 0.50, and over 0.50 to 0.95, both 0 to 1. ap50_low, ap50_high: 95 % bootstrap
    interval over canvases. difference_low, difference_high: paired interval of AP50 minus that of ratio 0 on the same
    canvases; NaN where ratio 0 was not evaluated.
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


def evaluate(
    model: QuantizedDetector,
    ratios: Sequence[int],
    n: int = 100,
    size: int = EVALUATION_SIZE,
    split: Split = Split.TEST,
    seed: int = 0,
    score: str = DEFAULT_SCORE,
    batch: int = 4,
    progress: Progress | None = None,
    arithmetic: ArithmeticKind = ArithmeticKind.FAKE,
) -> list[EvaluationRow]:
    """One row per ratio, in the order given, over the first n canvases of a stream.

    Raises InputError for a ratio or score that is not allowed.
    """
    if n < 1:
        raise InputError("evaluate", f"{n} canvases; at least 1", "n")
    keep_freed_memory()
    for ratio in ratios:
        model.plan(ratio, (), score)
    source = open_source(split)
    records: dict[int, list[CanvasRecord]] = {ratio: [] for ratio in ratios}
    low: dict[int, list[float]] = {ratio: [] for ratio in ratios}
    for start in range(0, n, batch):
        numbers = range(start, min(start + batch, n))
        canvases = [source.draw(seed, index, size) for index in numbers]
        for place, ratio in enumerate(ratios):
            found, share = _detect(model, canvases, numbers, ratio, score, seed, arithmetic)
            records[ratio] += [match_detections(one, canvas) for one, canvas in zip(found, canvases, strict=True)]
            low[ratio] += [share] * len(canvases)
            if progress:
                progress(numbers.start * len(ratios) + len(numbers) * (place + 1), n * len(ratios))
    reference = records.get(0)
    return [_row(ratio, records[ratio], reference, float(np.mean(low[ratio])), score) for ratio in ratios]


def _detect(
    model: QuantizedDetector,
    canvases: Sequence[Canvas],
    numbers: range,
    ratio: int,
    score: str,
    seed: int,
    arithmetic: ArithmeticKind,
) -> tuple[list[Detections], float]:
    facts = tuple(image_facts(seed, i, canvas.boxes) for i, canvas in zip(numbers, canvases, strict=True))
    images = np.stack([canvas.image for canvas in canvases])
    inputs = images_to_input(images, next(model.detector.parameters()).dtype)
    run = model.run(inputs, model.plan(ratio, facts, score), model.arithmetic(arithmetic))
    return decode(run.output, model.detector.config.stride, *images.shape[1:3]), low_share(run)


def low_share(run: NetworkRun) -> float:
    """Share of low windows among all windows of all blocks."""
    return sum(int(block.low.sum()) for block in run.windows) / sum(block.low.numel() for block in run.windows)


def _row(
    ratio: int,
    records: Sequence[CanvasRecord],
    reference: Sequence[CanvasRecord] | None,
    ratio_actual: float,
    score: str,
) -> EvaluationRow:
    precision, interval = average_precision(records), bootstrap_interval(records)
    low = high = float("nan")
    if reference is not None:
        difference = bootstrap_difference(records, reference)
        low, high = difference.low, difference.high
    return EvaluationRow(
        ratio=ratio,
        ratio_actual=ratio_actual,
        ap50=precision.ap50,
        ap50_low=interval.low,
        ap50_high=interval.high,
        ap=precision.ap50_95,
        n=len(records),
        score=score,
        difference_low=low,
        difference_high=high,
    )
