"""Top-1 accuracy of a quantized classifier, in float and at several ratios, on the same photographs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mixarray.errors import InputError
from mixarray.trace.padding import Padding
from mixarray_traces.allocator import keep_freed_memory
from mixarray_traces.classification.accuracy import Correct, top1_difference, top1_interval
from mixarray_traces.data.image_folder import ImageFolder
from mixarray_traces.evaluation import low_share, pruned_share
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.model.config import ClassifierConfig
from mixarray_traces.model.kinds import kind_of
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import AnyRatios, Ratios, ratios_at
from mixarray_traces.record.recorder import image_facts

Progress = Callable[[int, int], None]
"""Called with (done, total): photographs times settings."""


@dataclass(frozen=True, slots=True)
class ClassificationRow:
    """Accuracy of one setting.

    arithmetic: `float` for the model as it was loaded (ratios do not apply and are 0), else that of the quantized one.
    ratio, pruning: nominal, in thousandths, the mean where pairs differ; ratio_actual, pruning_actual: shares of low
    and of pruned windows, counted. top1: 0 to 1; top1_low, top1_high: 95 % bootstrap interval over photographs.
    difference_low, difference_high: paired interval of top-1 minus that of ratio 0 without pruning, quantized, on the
    same photographs; NaN where that was not evaluated.
    """

    arithmetic: ArithmeticKind
    ratio: int
    ratio_actual: float
    pruning: int
    pruning_actual: float
    top1: float
    top1_low: float
    top1_high: float
    n: int
    score: str
    difference_low: float
    difference_high: float
    pair_ratios: tuple[tuple[int, ...], ...]
    pair_pruning: tuple[tuple[int, ...], ...]
    padding: Padding


@dataclass(frozen=True, slots=True)
class _Setting:
    """One thing to evaluate."""

    arithmetic: ArithmeticKind
    ratios: Ratios


@dataclass(frozen=True, slots=True)
class _Found:
    """What a setting gave: who was right, and the mean shares of low and of pruned windows."""

    correct: Correct
    low: float
    pruned: float


def evaluate_classifier(
    model: QuantizedDetector,
    data: ImageFolder,
    ratios: Sequence[AnyRatios],
    numbers: Sequence[int] | None = None,
    *,
    seed: int = 0,
    score: str = DEFAULT_SCORE,
    batch: int = 8,
    progress: Progress | None = None,
    padding: Padding = Padding.ATTENTION,
    arithmetic: ArithmeticKind = ArithmeticKind.FAKE,
) -> list[ClassificationRow]:
    """A row in float, then one per setting of the ratios, in the order given, over photographs `numbers` (all).

    Raises InputError for a model that is no classifier, a folder with another number of classes, no photographs, and a
    ratio or score that is not allowed.
    """
    chosen = tuple(range(len(data.files)) if numbers is None else numbers)
    _check(model, data, chosen, score)
    keep_freed_memory()
    settings = [_Setting(ArithmeticKind.FLOAT, Ratios.uniform(0, model.depths))]
    settings += [_Setting(arithmetic, ratios_at(asked, model.depths)) for asked in ratios]
    found = _run(model, data, chosen, settings, score, seed, batch, padding, progress)
    rows = zip(settings[1:], found[1:], strict=True)
    reference = next((part.correct for one, part in rows if one.ratios.all_high), None)
    return [_row(one, part, reference, score, padding) for one, part in zip(settings, found, strict=True)]


def _check(model: QuantizedDetector, data: ImageFolder, numbers: Sequence[int], score: str) -> None:
    config = model.detector.config
    if not isinstance(config, ClassifierConfig):
        raise InputError("model", f"is a {kind_of(config)}; a folder per class is for classifiers")
    data.check_classes(config.num_classes)
    if not numbers:
        raise InputError(str(data.root), "no photograph is chosen; at least 1")
    if score == "oracle":
        raise InputError("score", "oracle looks at boxes; the photographs of a folder per class have none")


def _run(
    model: QuantizedDetector,
    data: ImageFolder,
    numbers: tuple[int, ...],
    settings: Sequence[_Setting],
    score: str,
    seed: int,
    batch: int,
    padding: Padding,
    progress: Progress | None,
) -> list[_Found]:
    right: list[list[bool]] = [[] for _ in settings]
    shares: list[list[tuple[float, float]]] = [[] for _ in settings]
    for start in range(0, len(numbers), batch):
        part = numbers[start : start + batch]
        inputs = model.detector.to_input(np.stack([data.image(index) for index in part]))
        labels = np.array([data.files[index].label for index in part])
        facts = tuple(image_facts(seed, index, None) for index in part)
        for place, setting in enumerate(settings):
            plan = model.plan(setting.ratios, facts, score, padding)
            run = model.run(inputs, plan, model.arithmetic(setting.arithmetic))
            right[place] += (run.output.argmax(dim=1).numpy() == labels).tolist()
            shares[place] += [(low_share(run), pruned_share(run))] * len(part)
            if progress:
                progress(start * len(settings) + len(part) * (place + 1), len(numbers) * len(settings))
    means = [np.mean(part, axis=0).tolist() for part in shares]
    return [_Found(np.array(one, dtype=np.bool_), *mean) for one, mean in zip(right, means, strict=True)]


def _row(
    setting: _Setting, found: _Found, reference: Correct | None, score: str, padding: Padding
) -> ClassificationRow:
    interval = top1_interval(found.correct)
    low = high = float("nan")
    if reference is not None:
        difference = top1_difference(found.correct, reference)
        low, high = difference.low, difference.high
    return ClassificationRow(
        arithmetic=setting.arithmetic,
        ratio=setting.ratios.nominal,
        ratio_actual=found.low,
        pruning=setting.ratios.nominal_pruning,
        pruning_actual=found.pruned,
        top1=interval.value,
        top1_low=interval.low,
        top1_high=interval.high,
        n=len(found.correct),
        score=score,
        difference_low=low,
        difference_high=high,
        pair_ratios=setting.ratios.compression,
        pair_pruning=setting.ratios.pruning,
        padding=padding,
    )
