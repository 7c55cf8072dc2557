"""The recorder: run the quantized model on images and write what happened as a trace bundle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mixarray.errors import InputError
from mixarray.provenance import git_revision, package_versions
from mixarray.trace.bundle import write_bundle
from mixarray.trace.manifest import SCHEMA_VERSION, AllocatedBits, Derived, Manifest, ModelSource
from mixarray.trace.model import Topology
from mixarray.trace.padding import Padding
from mixarray.trace.ratio import Promotion
from mixarray_traces.allocator import keep_freed_memory
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.importance.registry import token_map_of
from mixarray_traces.model.config import ClassifierConfig, DetectorConfig
from mixarray_traces.model.kinds import Model, ModelConfig, kind_of
from mixarray_traces.model.windows import SmallMapRule
from mixarray_traces.quantization.integer import check_integer
from mixarray_traces.quantization.low_rank import with_side_path
from mixarray_traces.quantization.network import NetworkRun, Plan
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.query_key import is_reparameterised
from mixarray_traces.quantization.ratios import AnyRatios
from mixarray_traces.quantization.two_region import TwoRegionParams
from mixarray_traces.record.capture import (
    CapturingArithmetic,
    interval_offsets,
    packed,
    packed_weights,
    packed_zeros,
    position_steps,
)
from mixarray_traces.record.graph import ActivationFacts, Precision, Quantizers, WeightFacts
from mixarray_traces.record.images import RecordImage
from mixarray_traces.record.shape import ClassifierShape, DetectionShape, HeadShape, MapGrid, SwinShape
from mixarray_traces.record.table import TableBuilder
from mixarray_traces.record.topology import block_grids, build_topology

NOTES = {
    "random": "random window choice",
    "reversed": f"the reverse of {DEFAULT_SCORE}: a worst case",
    "oracle": "uses the boxes of the annotation",
}
_BATCH = 4


class TensorMode(StrEnum):
    """Whose codes are kept: nobody's, the first image's, or all images'."""

    NONE = "none"
    SAMPLED = "sampled"
    ALL = "all"


def image_facts(seed: int, index: int, boxes: NDArray[np.float32] | None) -> ImageFacts:
    """Facts of image number `index`; its seed depends on both numbers."""
    number = int(np.random.SeedSequence((seed, index)).generate_state(1)[0])
    return ImageFacts(number, None if boxes is None else torch.from_numpy(boxes).double())


def record(
    model: QuantizedDetector,
    images: Sequence[RecordImage],
    path: Path | str,
    ratio: AnyRatios,
    score: str = DEFAULT_SCORE,
    seed: int = 0,
    tensors: TensorMode = TensorMode.SAMPLED,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    padding: Padding = Padding.ATTENTION,
) -> Path:
    """Run `images` (all of one size) at a ratio in thousandths and write the bundle.

    Raises InputError for images of different sizes, an unknown score, a ratio that is not allowed, a map smaller than
    a window, or an existing `path` without `force`.
    """
    keep_freed_memory()
    height, width = _common_size(images)
    facts = tuple(image_facts(seed, index, image.boxes) for index, image in enumerate(images))
    plan = model.plan(ratio, facts, score, padding)
    _check_boxes(images, score)
    shape = shape_of(model.detector)
    grids = block_grids(shape, height, width)
    topology = topology_of(model, height, width, score, padding, plan.ratios.promotion)
    table = TableBuilder()
    files: dict[str, dict[str, NDArray[np.generic]]] = {}
    kept = {TensorMode.NONE: 0, TensorMode.SAMPLED: 1, TensorMode.ALL: len(images)}[tensors]
    if kept:
        files["weights"] = (
            packed_weights(model.weights(), model.calibration)
            | position_steps(model.calibration)
            | interval_offsets(model.calibration)
        )
    for numbers in _batches(len(images), kept):
        batch = np.stack([images[index].pixels for index in numbers])
        part = replace(plan, images=tuple(facts[i] for i in numbers))
        capture = CapturingArithmetic(model.products(), model.calibration) if numbers.start < kept else None
        arithmetic = None if capture is None else with_side_path(capture, model.sides)
        run = model.run(model.detector.to_input(batch), part, arithmetic)
        if capture:
            codes, zeros = packed(capture.codes, model.calibration), packed_zeros(capture.zeros, model.calibration)
            files[f"image-{numbers.start}"] = codes | zeros
        _add_windows(table, run, numbers, grids, plan)
        if progress:
            progress(numbers.stop, len(images))
    manifest = _manifest(model, images, plan, score, seed, (height, width))
    return write_bundle(path, manifest, topology, table.finish(), files, force)


def shape_of(detector: Model) -> SwinShape:
    """The torch-free shape of a model's backbone."""
    config = detector.backbone.config
    return SwinShape(
        name=f"swin_{kind_of(detector.config)}",
        channels=tuple(config.stage_dim(stage) for stage in range(config.num_stages)),
        depths=config.depths,
        heads=config.num_heads,
        window=config.window_size,
        mlp_ratio=config.mlp_ratio,
        patch=config.patch_size,
        in_channels=config.in_channels,
        shrinks_small_maps=config.small_map_rule is SmallMapRule.SHRINK,
    )


def topology_of(
    model: QuantizedDetector,
    height: int,
    width: int,
    score: str = DEFAULT_SCORE,
    padding: Padding = Padding.ATTENTION,
    promotion: Promotion = Promotion.REFUSED,
) -> Topology:
    """The topology of a quantized model at an input size, with its steps and zero points and a score's work."""
    options, head = model.options, _head_shape(model.detector.config)
    branches = options.high_bits, options.low_bits
    precision = Precision(branches, options.weight_bits, options.other_bits, allocation=model.layer_bits.allocation)
    shape, token_map = shape_of(model.detector), token_map_of(score)
    return build_topology(shape, height, width, head, precision, _quantizers(model), token_map, padding, promotion)


def _quantizers(model: QuantizedDetector) -> Quantizers:
    def activation(tensor: str, branch: int) -> ActivationFacts:
        found = model.calibration.activations[tensor, branch]
        step = float(found.step.mean()) if isinstance(found.step, torch.Tensor) else found.step
        if isinstance(found, TwoRegionParams):
            return ActivationFacts(step, found.zero_point, found.encoding, found.shift, found.negative)
        return ActivationFacts(step, found.zero_point, found.encoding)

    def weight(name: str) -> WeightFacts:
        found = model.calibration.weights[name]
        side_rank = model.sides[name].rank if name in model.sides else 0
        return WeightFacts(found.encoding, found.offsets is not None, side_rank)

    check_integer(model.calibration)
    if is_reparameterised(model.options):
        raise InputError("record", "attention scores are reparameterised: a trace has no operators for them", "model")
    return Quantizers(activation, weight)


def _head_shape(config: ModelConfig) -> HeadShape:
    if isinstance(config, DetectorConfig):
        return DetectionShape(config.head_dim, config.head_hidden_dim, config.num_classes + 4)
    return ClassifierShape(config.num_classes) if isinstance(config, ClassifierConfig) else None


def _common_size(images: Sequence[RecordImage]) -> tuple[int, int]:
    if not images:
        raise InputError("record", "no images; at least one")
    height, width = images[0].pixels.shape[:2]
    for image in images:
        if image.pixels.shape[:2] != (height, width):
            found = "x".join(map(str, image.pixels.shape[:2]))
            raise InputError(image.name, f"is {found} px; the first image is {height}x{width}: sizes must agree")
    return height, width


def _check_boxes(images: Sequence[RecordImage], score: str) -> None:
    for image in images:
        if score == "oracle" and image.boxes is None:
            raise InputError(image.name, "has no boxes, which the oracle score needs", "score")


def _batches(count: int, single: int) -> list[range]:
    """Images whose codes are kept run alone, the others in batches."""
    alone = [range(index, index + 1) for index in range(min(single, count))]
    return alone + [range(start, min(start + _BATCH, count)) for start in range(len(alone), count, _BATCH)]


def _add_windows(
    table: TableBuilder, run: NetworkRun, numbers: range, grids: dict[tuple[int, int], MapGrid], plan: Plan
) -> None:
    for place, image in enumerate(numbers):
        for seen in run.windows:
            kept = torch.where(seen.low[place], plan.low_bits, plan.high_bits)
            bits = kept.masked_fill(seen.pruned[place], 0)
            table.add(
                image,
                seen.stage,
                seen.block,
                grids[seen.stage, seen.block],
                scores=seen.scores[place].double().numpy(),
                ranks=seen.ranks[place].numpy(),
                bits=bits.numpy(),
            )


def _manifest(
    model: QuantizedDetector,
    images: Sequence[RecordImage],
    plan: Plan,
    score: str,
    seed: int,
    size: tuple[int, int],
) -> Manifest:
    options, ratios, allocation = model.options, plan.ratios, model.layer_bits.needed()
    return Manifest(
        schema_version=SCHEMA_VERSION,
        model=f"swin_{kind_of(model.detector.config)}",
        model_source=ModelSource(model.source),
        window_size=model.detector.backbone.config.window_size,
        input_height=size[0],
        input_width=size[1],
        images=tuple(image.name for image in images),
        method=options.method,
        activation_bits_high=options.high_bits,
        activation_bits_low=options.low_bits,
        weight_bits=options.weight_bits,
        allocation=allocation and AllocatedBits(**allocation.to_json()),
        ratio_thousandths=ratios.nominal,
        pair_ratios_thousandths=ratios.compression,
        pruning_thousandths=ratios.nominal_pruning,
        pair_pruning_thousandths=ratios.pruning,
        promotion=ratios.promotion,
        padding=plan.padding,
        score=score,
        score_note=NOTES.get(score, ""),
        seed=seed,
        derived=Derived.NONE,
        git_revision=git_revision(),
        versions=package_versions(("torch",)),
    )
