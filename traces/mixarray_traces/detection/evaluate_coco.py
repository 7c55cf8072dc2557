"""Average precision of a quantized detector on the user's own annotated photographs, each at its own size."""

from __future__ import annotations

from collections.abc import Sequence

from mixarray.errors import InputError
from mixarray.trace.padding import Padding
from mixarray_traces.allocator import keep_freed_memory
from mixarray_traces.data.coco import CocoImages
from mixarray_traces.evaluation import (
    Collected,
    EvaluationRow,
    Progress,
    detect_into,
    detector_config,
    reference_of,
    row_of,
)
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import AnyRatios, Ratios, ratios_at
from mixarray_traces.record.recorder import image_facts


def evaluate_coco(
    model: QuantizedDetector,
    data: CocoImages,
    ratios: Sequence[AnyRatios],
    numbers: Sequence[int] | None = None,
    *,
    seed: int = 0,
    score: str = DEFAULT_SCORE,
    progress: Progress | None = None,
    padding: Padding = Padding.ATTENTION,
    arithmetic: ArithmeticKind = ArithmeticKind.FAKE,
) -> list[EvaluationRow]:
    """A row in float, then one per setting of the ratios, in the order given, over photographs `numbers` (all).

    Raises InputError for a model that is no detector, another number of categories than the model has classes, a
    photograph that is missing or cannot be read, and a ratio or score that is not allowed.
    """
    data.check_classes(detector_config(model).num_classes)
    chosen = tuple(range(len(data.images)) if numbers is None else numbers)
    if not chosen:
        raise InputError(str(data.file), "no image is chosen; at least 1", "images")
    data.check_files(chosen)
    keep_freed_memory()
    nothing = Ratios.uniform(0, model.depths)
    settings = [ratios_at(asked, model.depths) for asked in ratios]
    found, exact = [Collected() for _ in settings], Collected()
    for done, index in enumerate(chosen):
        canvas = data.canvas(index)
        facts = (image_facts(seed, index, canvas.boxes),)
        plans = [model.plan(setting, facts, score, padding) for setting in settings]
        list(detect_into(model, [canvas], [model.plan(nothing, facts, score, padding)], ArithmeticKind.FLOAT, [exact]))
        for ran, _ in enumerate(detect_into(model, [canvas], plans, arithmetic, found), start=1):
            if progress:
                progress(done * len(settings) + ran, len(chosen) * len(settings))
    reference = reference_of(settings, found)
    rows = [(nothing, exact, ArithmeticKind.FLOAT)]
    rows += [(one, part, arithmetic) for one, part in zip(settings, found, strict=True)]
    return [row_of(one, part, reference, score, padding, kind) for one, part, kind in rows]
