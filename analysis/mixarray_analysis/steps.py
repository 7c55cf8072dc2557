"""The steps of every workflow: quantize, evaluate, record. Commands and the demo call the same functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mixarray.errors import InputError
from mixarray.trace.padding import Padding
from mixarray_analysis.files import refuse_existing
from mixarray_analysis.mistakes import users_mistake
from mixarray_analysis.models import choose_score, load_checkpoint, open_model, prepare_torch
from mixarray_analysis.progress import progress_bar
from mixarray_traces.quantization.ratios import Asked, choice_of

if TYPE_CHECKING:
    from mixarray_traces.data import Split
    from mixarray_traces.evaluation import EvaluationRow
    from mixarray_traces.quantization import QuantizationOptions, QuantizedDetector
    from mixarray_traces.record import RecordImage

SPLITS = ("train", "validation", "test")


def evaluate_ratios(
    model: QuantizedDetector,
    ratios: Sequence[Asked],
    *,
    canvases: int,
    size: int,
    seed: int,
    score: str | None,
    split: str = "test",
    quiet: bool = False,
    padding: Padding = Padding.ATTENTION,
) -> list[EvaluationRow]:
    """AP50 of the model on drawn canvases at each ratio, with intervals; rows in the ratios' order."""
    chosen = choose_score(score)
    from mixarray_traces.data import Split
    from mixarray_traces.evaluation import evaluate

    if split not in SPLITS:
        raise InputError("--split", f"{split!r} is no split; allowed: {', '.join(SPLITS)}")
    check_source(Split[split.upper()])
    with progress_bar(f"evaluating {len(ratios)} ratios on {canvases} canvases", quiet) as report:
        return evaluate(
            model,
            tuple(ratios),
            n=canvases,
            size=size,
            split=Split[split.upper()],
            seed=seed,
            score=chosen,
            progress=report,
            padding=padding,
        )


def check_source(split: Split) -> None:
    """Raise InputError where the data of a split is not installed or damaged; called before any long work."""
    from mixarray_traces.data.canvas import open_source

    with users_mistake(f"{split.name.lower()} canvases"):
        open_source(split)


def record_ratio(
    model: QuantizedDetector,
    images: Sequence[RecordImage],
    path: Path,
    ratio: Asked,
    *,
    score: str | None,
    seed: int,
    tensors: str,
    force: bool = False,
    quiet: bool = False,
    padding: Padding = Padding.ATTENTION,
) -> Path:
    """Run the model at one ratio and write the bundle; `tensors` is none, sampled or all."""
    chosen = choose_score(score)
    from mixarray_traces.record import TensorMode, record

    modes = [mode.value for mode in TensorMode]
    if tensors not in modes:
        raise InputError("--tensors", f"{tensors!r} is not possible; allowed: {', '.join(modes)}")
    with progress_bar(f"recording ratio {choice_of(ratio).label}", quiet) as report:
        return record(model, images, path, ratio, chosen, seed, TensorMode(tensors), force, report, padding)


def draw_images(count: int, size: int, seed: int) -> list[RecordImage]:
    """Canvases of the test split, drawn from the shipped items and photographs."""
    from mixarray_traces.record import canvas_images

    return canvas_images(count, size, seed=seed)


def read_images(files: Sequence[Path]) -> list[RecordImage]:
    """The user's own images; InputError names the file that cannot be read."""
    from mixarray_traces.record import read_image

    return [read_image(file) for file in files]


def quantized_or_shipped(checkpoint: Path | None, seed: int, out: Path, quiet: bool) -> Path:
    """Quantize a checkpoint with the defaults of `mixarray quantize`; without one, save the shipped quantized model."""
    prepare_torch()
    from mixarray_traces.quantization import QuantizationOptions, save_quantized

    if checkpoint is None:
        return save_quantized(open_model(None), out)
    return quantize_checkpoint(checkpoint, QuantizationOptions(seed=seed), out, quiet=quiet)


def quantize_checkpoint(
    checkpoint: Path | None, options: QuantizationOptions, out: Path, force: bool = False, quiet: bool = False
) -> Path:
    """Calibrate and quantize a trained detector (the shipped one by default) into the directory `out`.

    Raises InputError for a checkpoint that is broken or not finite, and where the calibration data is not installed.
    """
    from mixarray_traces.quantization import quantize, save_quantized

    refuse_existing(out, force)
    detector = load_checkpoint(checkpoint)
    check_source(options.calibration_split)
    with progress_bar("calibrating", quiet) as report:
        model = quantize(detector, options, report, source="trained" if checkpoint is None else "user")
    return save_quantized(model, out, force)
