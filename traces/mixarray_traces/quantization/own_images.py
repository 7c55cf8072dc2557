"""Calibration on the user's own photographs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from mixarray_traces.data.coco import CocoImages
from mixarray_traces.data.image_folder import ImageFolder
from mixarray_traces.model.classifier import Classifier
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.calibrate import Progress, quantize
from mixarray_traces.quantization.options import CalibrationData, QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector

_BATCH = 4


def quantize_on(
    model: Detector | Classifier,
    data: ImageFolder | CocoImages,
    options: QuantizationOptions | None = None,
    progress: Progress | None = None,
) -> QuantizedDetector:
    """Quantize a user's model, calibrated on `options.calibration_canvases` photographs drawn by `options.seed`.

    Raises InputError where the data has another number of classes than the model, or too few photographs.
    """
    chosen = replace(options or QuantizationOptions(), calibration_data=CalibrationData.IMAGES)
    data.check_classes(model.config.num_classes)
    numbers = data.sample(chosen.calibration_canvases, chosen.seed)
    return quantize(model, chosen, progress, "user", own_batches(model, data, numbers))


def own_batches(
    model: Detector | Classifier, data: ImageFolder | CocoImages, numbers: Sequence[int]
) -> Iterator[Tensor]:
    """The photographs as model input; annotated ones, whose sizes differ, one by one."""
    if isinstance(data, CocoImages):
        for index in numbers:
            yield model.to_input(np.stack([data.canvas(index).image]))
        return
    for start in range(0, len(numbers), _BATCH):
        yield model.to_input(np.stack([data.image(index) for index in numbers[start : start + _BATCH]]))
