"""Post-training quantization: run canvases in float, watch every activation, choose every quantizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mixarray_traces.allocator import keep_freed_memory
from mixarray_traces.data.canvas import open_source
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.importance.registry import load_score
from mixarray_traces.model.kinds import Model
from mixarray_traces.quantization.allocation import operands_of
from mixarray_traces.quantization.arithmetic import ObservingArithmetic
from mixarray_traces.quantization.method import Material, load_method, load_refine, load_sampling
from mixarray_traces.quantization.network import Plan, named_weights, weights_by_bits
from mixarray_traces.quantization.options import CalibrationData, QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.query_key import with_query_key
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.quantization.running import run_network

Progress = Callable[[int, int], None]
"""Called with (done, total)."""
_BATCH = 4


@torch.no_grad()
def quantize(
    detector: Model,
    options: QuantizationOptions | None = None,
    progress: Progress | None = None,
    source: str = "user",
    batches: Iterable[Tensor] | None = None,
) -> QuantizedDetector:
    """Quantize a trained model; without training, unless its method refines it on the calibration images.

    All windows of the calibration images are seen by the quantizers of both branches. `batches` are normalised images
    (images, 3, height, width), `options.calibration_canvases` in all, and the options say so; without them, canvases
    are drawn. Raises InputError for an unknown method or an allocation of layers that do not exist, FileNotFoundError
    where the calibration split is not installed.
    """
    keep_freed_memory()
    chosen = options or QuantizationOptions()
    if (batches is None) != (chosen.calibration_data is CalibrationData.CANVASES):
        raise ValueError(f"calibration on {chosen.calibration_data}, but batches are {'not ' * (batches is None)}given")
    method = load_method(chosen.method)
    detector = with_query_key(detector, chosen)
    weights = named_weights(detector)
    if chosen.allocation is not None:
        chosen.allocation.check_names(weights, operands_of(weights))
        chosen = replace(chosen, allocation=chosen.layer_bits.needed())
    observer = ObservingArithmetic(weights, load_sampling(chosen.method))
    depths = detector.backbone.config.depths
    refine, kept, seen = load_refine(chosen.method), list[Tensor](), 0
    for images in _canvases(detector, chosen) if batches is None else batches:
        facts = (ImageFacts(),) * len(images)
        bits = chosen.high_bits, chosen.low_bits, chosen.other_bits
        plan = Plan(Ratios.uniform(0, depths), load_score(DEFAULT_SCORE), facts, *bits)
        run_network(detector, images, plan, observer)
        seen += len(images)
        kept += [images] if refine else []
        if progress:
            progress(seen, chosen.calibration_canvases)
    if seen != chosen.calibration_canvases:
        raise ValueError(f"{seen} images to calibrate on; the options say {chosen.calibration_canvases}")
    statistics, layers = observer.statistics(), chosen.layer_bits
    widths = {name: layers.activation(name) for name in statistics}
    outcome = method(Material(statistics, weights, weights_by_bits(weights, layers), widths), chosen)
    model = QuantizedDetector(detector.eval(), chosen, outcome.calibration, source, outcome.folding)
    return model if refine is None else refine(model, kept, progress)


def _canvases(detector: Model, options: QuantizationOptions) -> Iterator[Tensor]:
    """Batches of drawn canvases, as model input."""
    source = open_source(options.calibration_split)
    for start in range(0, options.calibration_canvases, _BATCH):
        numbers = range(start, min(start + _BATCH, options.calibration_canvases))
        drawn = [source.draw(options.seed, index, options.calibration_size).image for index in numbers]
        yield detector.to_input(np.stack(drawn))
