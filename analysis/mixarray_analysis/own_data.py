"""The user's own checkpoint and photographs: opened, quantized, evaluated, recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mixarray.errors import InputError
from mixarray.trace.padding import Padding
from mixarray_analysis.files import refuse_existing
from mixarray_analysis.mistakes import users_mistake
from mixarray_analysis.models import choose_score, prepare_torch
from mixarray_analysis.progress import progress_bar

if TYPE_CHECKING:
    from mixarray_traces.checkpoints.load import CheckpointOptions
    from mixarray_traces.classification.evaluate import ClassificationRow
    from mixarray_traces.data.coco import CocoImages
    from mixarray_traces.data.image_folder import ImageFolder
    from mixarray_traces.evaluation import EvaluationRow
    from mixarray_traces.model.kinds import ModelConfig
    from mixarray_traces.quantization import QuantizationOptions, QuantizedDetector
    from mixarray_traces.quantization.ratios import Asked
    from mixarray_traces.record import RecordImage

CROP_SHARE_THOUSANDTHS = 875
"""Side of the crop over the side it is cut from: 224 of 256, as the published Swin transformers are evaluated."""


@dataclass(frozen=True, slots=True)
class OwnData:
    """Where photographs are: a folder per class, or COCO's json with the directory of its files.

    crop_px: side of a classifier's input, None for the side it was calibrated at.
    """

    data: Path
    image_dir: Path | None = None
    crop_px: int | None = None


@dataclass(frozen=True, slots=True)
class OwnCheckpoint:
    """What is said about a checkpoint: the names of its tensors, its shape, where in the file it is, its input.

    small_maps: what a block does on a map not larger than its window, a value of `SmallMapRule`.
    """

    file: Path
    naming: str | None = None
    arch: str | None = None
    prefix: str = ""
    mean: tuple[float, float, float] | None = None
    deviation: tuple[float, float, float] | None = None
    small_maps: str | None = None


def quantize_own(
    checkpoint: OwnCheckpoint, where: OwnData, options: QuantizationOptions, out: Path, force: bool, quiet: bool
) -> Path:
    """Load, calibrate on the user's photographs, quantize and save; InputError for whatever does not fit."""
    prepare_torch()
    from mixarray_traces.checkpoints.load import load_checkpoint
    from mixarray_traces.model.detector import Detector
    from mixarray_traces.quantization import save_quantized
    from mixarray_traces.quantization.own_images import quantize_on

    refuse_existing(out, force)
    model = load_checkpoint(checkpoint.file, checkpoint_options(checkpoint))
    if isinstance(model, Detector) and (checkpoint.mean is not None or checkpoint.deviation is not None):
        raise InputError("--mean, --deviation", "are for classifiers; the input of our detector is fixed")
    data = open_own(model.config, where, options.calibration_size)
    with progress_bar("calibrating", quiet) as report:
        quantized = quantize_on(model, data, options, report)
    return save_quantized(quantized, out, force)


def own_checkpoint(
    file: Path | None,
    naming: str | None,
    arch: str | None,
    prefix: str | None,
    mean: str | None,
    deviation: str | None,
    small_maps: str | None,
) -> OwnCheckpoint:
    """What was typed about a checkpoint; InputError where the file is missing or three numbers are not."""
    if file is None:
        raise InputError("--checkpoint", "is missing: --data is for a model of yours")
    three = _three(mean, "--mean"), _three(deviation, "--deviation")
    return OwnCheckpoint(file, naming, arch, prefix or "", *three, small_maps)


def _three(text: str | None, option: str) -> tuple[float, float, float] | None:
    from mixarray_analysis.cli.values import read_number

    if text is None:
        return None
    parts = text.split(",")
    if len(parts) != 3:
        raise InputError(option, f"{text!r} is not R,G,B: three numbers, such as 0.485,0.456,0.406")
    red, green, blue = (read_number(part, option) for part in parts)
    return red, green, blue


def checkpoint_options(checkpoint: OwnCheckpoint) -> CheckpointOptions:
    """What `mixarray_traces` is told about the file; InputError names the option that is not possible."""
    from mixarray_traces.checkpoints.load import CheckpointOptions
    from mixarray_traces.checkpoints.naming import NamingScheme
    from mixarray_traces.model.config import NAMED_SWINS
    from mixarray_traces.model.normalization import IMAGENET, Normalization
    from mixarray_traces.model.windows import SmallMapRule

    naming, arch = checkpoint.naming, checkpoint.arch
    if naming is not None and naming not in [scheme.value for scheme in NamingScheme]:
        raise InputError("--naming", f"{naming!r} is unknown; allowed: {', '.join(NamingScheme)}")
    if arch is not None and arch not in NAMED_SWINS:
        raise InputError("--arch", f"{arch!r} is unknown; allowed: {', '.join(NAMED_SWINS)}")
    rules = [rule.value for rule in SmallMapRule]
    if checkpoint.small_maps is not None and checkpoint.small_maps not in rules:
        raise InputError("--small-maps", f"{checkpoint.small_maps!r} is unknown; allowed: {', '.join(rules)}")
    with users_mistake("--mean, --deviation"):
        normalization = Normalization(checkpoint.mean or IMAGENET.mean, checkpoint.deviation or IMAGENET.deviation)
    return CheckpointOptions(
        arch=None if arch is None else NAMED_SWINS[arch],
        naming=None if naming is None else NamingScheme(naming),
        prefix=checkpoint.prefix,
        normalization=normalization,
        small_map_rule=SmallMapRule.SHRINK if checkpoint.small_maps is None else SmallMapRule(checkpoint.small_maps),
    )


def open_own(config: ModelConfig, where: OwnData, calibrated_px: int) -> ImageFolder | CocoImages:
    """The photographs, as the model needs them: a folder per class for a classifier, COCO's json for a detector."""
    from mixarray_traces.data.coco import open_coco
    from mixarray_traces.data.image_folder import open_image_folder
    from mixarray_traces.data.preparation import Preparation
    from mixarray_traces.model.config import ClassifierConfig, DetectorConfig

    if isinstance(config, ClassifierConfig):
        if where.image_dir is not None:
            raise InputError("--image-dir", "is for a detector's json; a classifier reads a folder per class")
        crop = calibrated_px if where.crop_px is None else where.crop_px
        resize = (crop * 1000 + CROP_SHARE_THOUSANDTHS // 2) // CROP_SHARE_THOUSANDTHS
        return open_image_folder(where.data, Preparation(crop, resize))
    if not isinstance(config, DetectorConfig):
        raise InputError("--data", "is for a classifier or a detector; this model is a backbone")
    if where.crop_px is not None:
        raise InputError("--size", "is for canvases and classifiers; a detector's photographs keep their own sizes")
    if where.image_dir is None:
        raise InputError("--image-dir", f"is missing: the directory of the images that {where.data} names")
    return open_coco(where.data, where.image_dir)


def evaluate_own(
    model: QuantizedDetector,
    where: OwnData,
    ratios: Sequence[Asked],
    *,
    photographs: int | None,
    seed: int,
    score: str | None,
    padding: Padding = Padding.ATTENTION,
    quiet: bool = False,
) -> list[ClassificationRow] | list[EvaluationRow]:
    """Accuracy on the user's photographs (all, or some drawn by the seed): top-1 of a classifier, AP of a detector."""
    chosen = choose_score(score)
    from mixarray_traces.classification.evaluate import evaluate_classifier
    from mixarray_traces.data.image_folder import ImageFolder
    from mixarray_traces.detection.evaluate_coco import evaluate_coco

    data = open_own(model.detector.config, where, model.options.calibration_size)
    numbers = None if photographs is None else data.sample(photographs, seed)
    with progress_bar(f"evaluating {len(ratios)} ratios", quiet) as report:
        if isinstance(data, ImageFolder):
            return evaluate_classifier(
                model, data, ratios, numbers, seed=seed, score=chosen, progress=report, padding=padding
            )
        return evaluate_coco(model, data, ratios, numbers, seed=seed, score=chosen, progress=report, padding=padding)


def own_images(model: QuantizedDetector, where: OwnData, photographs: int, seed: int) -> list[RecordImage]:
    """Some of the user's photographs, drawn by the seed, as the model sees them, for a recording."""
    from mixarray_traces.data.image_folder import ImageFolder
    from mixarray_traces.record import RecordImage

    data = open_own(model.detector.config, where, model.options.calibration_size)
    numbers = data.sample(photographs, seed)
    if isinstance(data, ImageFolder):
        return [RecordImage(data.name(index), data.image(index)) for index in numbers]
    drawn = ((index, data.canvas(index)) for index in numbers)
    return [RecordImage(data.name(index), canvas.image, canvas.boxes) for index, canvas in drawn]
