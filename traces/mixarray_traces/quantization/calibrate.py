"""Post-training quantization: run canvases in float, watch every activation, choose every quantizer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from mixarray_traces.allocator import keep_freed_memory
from mixarray_traces.data.canvas import open_source
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.importance.registry import load_score
from mixarray_traces.model.detector import Detector, images_to_input
from mixarray_traces.quantization.arithmetic import ObservingArithmetic
from mixarray_traces.quantization.method import Material, load_method
from mixarray_traces.quantization.network import Plan, named_weights, run_network, weights_by_bits
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import Ratios

Progress = Callable[[int, int], None]
"""Called with (done, total)."""
_BATCH = 4


@torch.no_grad()
def quantize(
    detector: Detector,
    options: QuantizationOptions | None = None,
    progress: Progress | None = None,
    source: str = "user",
) -> QuantizedDetector:
    """Quantize a trained detector without training.

    All windows of the calibration canvases are seen by the quantizers of both branches. Raises InputError for an
    unknown method, FileNotFoundError where the calibration split is not installed.
    """
    keep_freed_memory()
    chosen = options or QuantizationOptions()
    method = load_method(chosen.method)
    weights = named_weights(detector)
    observer = ObservingArithmetic(weights)
    canvases = open_source(chosen.calibration_split)
    depths = detector.backbone.config.depths
    total = chosen.calibration_canvases
    for start in range(0, total, _BATCH):
        numbers = range(start, min(start + _BATCH, total))
        drawn = [canvases.draw(chosen.seed, index, chosen.calibration_size).image for index in numbers]
        facts = tuple(ImageFacts() for _ in drawn)
        bits = chosen.high_bits, chosen.low_bits, chosen.other_bits
        plan = Plan(Ratios.uniform(0, depths), load_score(DEFAULT_SCORE), facts, *bits)
        dtype = next(detector.parameters()).dtype
        run_network(detector, images_to_input(np.stack(drawn), dtype), plan, observer)
        if progress:
            progress(numbers.stop, total)
    bits_of = weights_by_bits(weights, chosen.weight_bits, chosen.other_bits)
    calibration = method(Material(observer.statistics(), weights, bits_of), chosen)
    return QuantizedDetector(detector.eval(), chosen, calibration, source)
