"""A run of quantization-aware training as the command line asks for it: what it begins with, and what it says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mixarray.errors import InputError
from mixarray_analysis.models import load_checkpoint
from mixarray_analysis.progress import progress_bar
from mixarray_analysis.steps import check_source

if TYPE_CHECKING:
    from mixarray_traces.quantization import QuantizedDetector
    from mixarray_traces.quantization.options import OfqOptions
    from mixarray_traces.training.qat import Progress, QatOptions, QatResult, Stage

SECONDS_BETWEEN_LINES = 30.0
HIGH_BITS, LOW_BITS = 4, 2
"""Activation bits of OFQ's base and of MixA-Q's low branch."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen where training begins, as it was typed; None: not given."""

    vectors: str | None = None
    query_key: bool = False
    high_bits: int | None = None
    low_bits: int | None = None


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a run begins with: a quantized `model`, or else the float `checkpoint` (None: the shipped one), quantized.

    The teacher is the float checkpoint in any case.
    """

    model: Path | None
    checkpoint: Path | None
    ofq: OfqOptions
    high_bits: int
    low_bits: int


def beginning(options: QatOptions, model: Path | None, checkpoint: Path | None, chosen: Chosen) -> Beginning:
    """Raise InputError where a stage cannot begin so."""
    from mixarray_traces.quantization.options import LearnedVectors, OfqOptions, QueryKey
    from mixarray_traces.training.qat import Stage

    stage = options.stage
    if stage is Stage.UNIFORM and model is not None:
        raise InputError("--model", f"{stage} begins with float weights: give --checkpoint, or nothing")
    if stage in (Stage.CONTROL, Stage.SAA, Stage.ANNEALING) and model is None:
        raise InputError("--model", f"is missing: {stage} goes on from a model of `mixarray qat`")
    if model is not None and chosen != Chosen():
        raise InputError("--model", "has its bits, --vectors and --query-key: they are chosen where training begins")
    keys = QueryKey.REPARAMETERISED if chosen.query_key else QueryKey.STANDARD
    vectors = chosen.vectors or (LearnedVectors.BEFORE if chosen.query_key else LearnedVectors.BOTH)
    ofq = OfqOptions(LearnedVectors(vectors), keys)
    high_bits = HIGH_BITS if chosen.high_bits is None else chosen.high_bits
    return Beginning(model, checkpoint, ofq, high_bits, LOW_BITS if chosen.low_bits is None else chosen.low_bits)


def refuse_idle(stage: Stage, boundary: float | None, window_counts: str | None, score: str | None) -> None:
    """Raise InputError for an option that this stage would ignore."""
    from mixarray_traces.training.qat import Stage

    if boundary is not None and stage is not Stage.ANNEALING:
        raise InputError("--boundary", f"does nothing in {stage}: only annealing freezes weights")
    if stage in (Stage.UNIFORM, Stage.CONTROL):
        _refuse_of_ratios(stage, window_counts, score)


def _refuse_of_ratios(stage: Stage, window_counts: str | None, score: str | None) -> None:
    for option, value in (("--window-counts", window_counts), ("--score", score)):
        if value is not None:
            raise InputError(option, f"does nothing in {stage}: all windows run high there")


def run_stage(
    options: QatOptions,
    begins: Beginning,
    resume: bool,
    quiet: bool,
    window_counts: str | None = None,
    score: str | None = None,
) -> QatResult:
    """Train; raises InputError where `options.out` is in the way, or has nothing to resume.

    `window_counts` and `score` are what was typed: annealing ignores them where its model was trained without ratios.
    An empty folder is not in the way: a run that was stopped before its first checkpoint leaves one.
    """
    from mixarray_traces.training.qat import train_qat
    from mixarray_traces.training.qat.checkpoint import CHECKPOINT_FILE
    from mixarray_traces.training.qat.law import law_of
    from mixarray_traces.training.qat.loop import check_device

    if options.out.exists() and not resume and not _is_empty_folder(options.out):
        raise InputError(str(options.out), "already exists; give --resume to go on from its checkpoint", "--out")
    if resume and not (options.out / CHECKPOINT_FILE).is_file():
        raise InputError(str(options.out / CHECKPOINT_FILE), "no such checkpoint to go on from", "--resume")
    check_device(options.device)
    start = _start(options, begins, quiet)
    if law_of(options.stage, start) is None:
        _refuse_of_ratios(options.stage, window_counts, score)
    teacher = load_checkpoint(begins.checkpoint) if options.distillation else None
    with progress_bar(f"qat {options.stage}", quiet) as report:
        return train_qat(start, teacher, options, _teller(report, quiet))


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and next(path.iterdir(), None) is None


def progress_line(step: Progress) -> str:
    """What is said of a long run now and then."""
    left = f"{step.left_s / 60:.0f} min" if step.left_s >= 90 else f"{step.left_s:.0f} s"
    return (
        f"{step.images:,} of {step.total_images:,} images, {step.images_per_s:.1f} images/s, {left} left; "
        f"loss {step.loss:.3f}, distillation {step.distillation:.3f}, ratio {step.ratio / 1000:.3f}"
    )


def _start(options: QatOptions, begins: Beginning, quiet: bool) -> QuantizedDetector:
    """The quantized model that training begins with."""
    from mixarray_traces.quantization import QuantizationOptions, load_quantized, quantize

    if begins.model is not None:
        return load_quantized(begins.model)
    bits = begins.high_bits, begins.low_bits
    chosen = QuantizationOptions("ofq", 4, *bits, calibration_size=options.size, ofq=begins.ofq)
    detector = load_checkpoint(begins.checkpoint)
    check_source(chosen.calibration_split)
    with progress_bar("calibrating", quiet) as report:
        return quantize(detector, chosen, report, source="trained" if begins.checkpoint is None else "user")


def _teller(report: Callable[[int, int], None], quiet: bool) -> Callable[[Progress], None]:
    """Move the bar at every step; where stderr is no terminal, say a line now and then instead."""
    told_s = 0.0
    says_lines = not quiet and not sys.stderr.isatty()

    def tell(step: Progress) -> None:
        nonlocal told_s
        report(step.images, step.total_images)
        last = step.step == step.total_steps
        if says_lines and (last or step.elapsed_s - told_s >= SECONDS_BETWEEN_LINES):
            told_s = step.elapsed_s
            sys.stderr.write(progress_line(step) + "\n")
            sys.stderr.flush()

    return tell
