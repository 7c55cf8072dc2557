"""The training loop: seeded, resumable bit for bit."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from mixarray.errors import InputError
from mixarray_traces.allocator import keep_freed_memory
from mixarray_traces.data.canvas import CanvasSource
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.registry import load_score
from mixarray_traces.model.detector import Detector, images_to_input
from mixarray_traces.quantization.identity import quantized_sha256
from mixarray_traces.quantization.network import Plan
from mixarray_traces.quantization.provenance import Stage
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.query_key import is_reparameterised
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.quantization.running import run_network
from mixarray_traces.quantization.store import save_quantized
from mixarray_traces.training.qat.annealing import hold, put_back
from mixarray_traces.training.qat.checkpoint import (
    CHECKPOINT_FILE,
    load_into_run,
    save_run,
    teacher_settings,
)
from mixarray_traces.training.qat.distillation import distillation_loss
from mixarray_traces.training.qat.law import law_of
from mixarray_traces.training.qat.options import QatOptions, WindowCounts
from mixarray_traces.training.qat.state import TrainState, low_branch_is_trained
from mixarray_traces.training.targets import Batch, detection_loss
from mixarray_traces.training.train import collate, open_training_canvases

MODEL = "model"
"""Name of the quantized model in the folder of a run."""


@dataclass(frozen=True)
class Progress:
    """Reported after every step.

    Attributes:
        step, total_steps: steps done and to do.
        images, total_images: canvases seen and to see.
        elapsed_s, images_per_s: of this call so far.
        left_s: time left at this rate.
        learning_rate, loss, distillation: of the step; the loss is that of the boxes and classes alone.
        ratio: mean compression ratio of the step and mean pruning ratio, together, in thousandths.
    """

    step: int
    total_steps: int
    images: int
    total_images: int
    elapsed_s: float
    images_per_s: float
    left_s: float
    learning_rate: float
    loss: float
    distillation: float
    ratio: int


@dataclass(frozen=True)
class QatResult:
    """How a call of `train_qat` ended: the quantized model, where it lies, and whether the budget was used up."""

    model: QuantizedDetector
    path: Path
    finished: bool
    images: int


def train_qat(
    start: QuantizedDetector,
    teacher: Detector | None,
    options: QatOptions,
    progress: Callable[[Progress], None] | None = None,
) -> QatResult:
    """Train a quantized model of method `ofq`, from `options.out / CHECKPOINT_FILE` where that exists.

    A resumed run ends with the same bits as an uninterrupted one on the same machine, device and thread count, where
    torch's deterministic algorithms are on.

    Args:
        start: what the run begins with; also needed to resume.
        teacher: the float model; needed unless `options.distillation` is 0.
        options: the run.
        progress: called after every step.

    Raises:
        InputError: the full item set is not installed; `start` is of another method; the teacher has other classes or
            another grid; the checkpoint is damaged or of another run; the device is missing; `options.out` cannot be
            written; the loss is not finite.
    """
    keep_freed_memory()
    run = _Run(start, teacher, options, open_training_canvases())
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(str(options.out), f"cannot be written: {error.strerror}", "--out") from None
    finished = run.go(progress)
    model = run.freeze()
    path = save_quantized(model, options.out / MODEL, force=True)
    return QatResult(model, path, finished, run.images)


class _Run:
    """State of one call of `train_qat`."""

    def __init__(
        self, start: QuantizedDetector, teacher: Detector | None, options: QatOptions, source: CanvasSource
    ) -> None:
        check_device(options.device)
        self.options, self.source = options, source
        both_trained = low_branch_is_trained(start)
        _check_start(start, options.stage, both_trained)
        self.low_trains = options.stage in (Stage.SAQA, Stage.JOINT) or both_trained
        self.state = TrainState.of(start, self.low_trains, options.device)
        self.teacher = _teacher(teacher, self.state.network, options)
        self.parameters = self.state.parameters()
        leaves = list(self.parameters.values())
        self.optimizer = torch.optim.AdamW(leaves, lr=options.learning_rate, weight_decay=0.0, foreach=True)
        self.score, self.law = load_score(options.score), law_of(options.stage, start)
        self.step = 0
        self.settings = options.settings | {"start": quantized_sha256(start)} | teacher_settings(self.teacher)
        if (options.out / CHECKPOINT_FILE).exists():
            self.step = load_into_run(options.out, self.settings, self.parameters, self.optimizer)
        self.first_step, self.started = self.step, time.monotonic()

    @property
    def images(self) -> int:
        """Canvases seen."""
        return self.step * self.options.batch

    def freeze(self) -> QuantizedDetector:
        """The quantized model as it stands, with this run behind those of the model it began with."""
        model = self.state.freeze()
        return replace(model, training=(*model.training, self.options.run(self.images)))

    def go(self, progress: Callable[[Progress], None] | None) -> bool:
        """Run to the end of the budget, or until `stop_after_s`; True at the end of the budget."""
        with ThreadPoolExecutor(max_workers=1) as maker:
            upcoming = self._request(maker, self.step)
            while self.step < self.options.steps:
                batch = upcoming.result()
                upcoming = self._request(maker, self.step + 1)
                report = self._train_step(batch)
                if progress is not None:
                    progress(report)
                limit = self.options.stop_after_s
                late = limit is not None and time.monotonic() - self.started >= limit
                done = self.step == self.options.steps
                if late or done or self.step % self.options.checkpoint_steps == 0:
                    save_run(self.options.out, self.settings, self.step, self.parameters, self.optimizer)
                if late:
                    return done
        return True

    def _request(self, maker: ThreadPoolExecutor, step: int) -> Future[Batch]:
        chosen = self.options
        return maker.submit(collate, self.source, chosen.stream, step * chosen.batch, chosen.batch, chosen.size)

    def _train_step(self, batch: Batch) -> Progress:
        rate = self.options.rate(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        ratios = self._ratios()
        loss, distilled = self._set_gradients(batch, ratios)
        nn.utils.clip_grad_norm_(self.parameters.values(), self.options.max_gradient_norm)
        anneals = self.options.stage is Stage.ANNEALING
        held = hold(self.state.matrices(), self.state.bits, self.options.boundary) if anneals else []
        self.optimizer.step()
        put_back(held)
        self.state.keep_steps_positive()
        self.step += 1
        return self._report(rate, loss, distilled, ratios.nominal + ratios.nominal_pruning)

    def _ratios(self) -> Ratios:
        depths = self.state.network.config.backbone.depths
        if self.law is None:
            return Ratios.uniform(0, depths)
        random = self.options.window_counts is WindowCounts.STOCHASTIC
        windows = windows_of_stages(self.state.network, self.options.size) if random else None
        return self.law(self.options.seed, self.step, depths, windows)

    def _set_gradients(self, batch: Batch, ratios: Ratios) -> tuple[float, float]:
        """Gradients of the whole loss; the detector's loss, and the distillation's."""
        device, bits = self.options.device, self.state.start.options
        images = images_to_input(batch.images).to(device)
        labelled = Batch(batch.images, batch.boxes.to(device), batch.labels.to(device))
        facts = tuple(
            ImageFacts(self.images + row, batch.boxes[row][batch.labels[row] >= 0].double())
            for row in range(len(batch.images))
        )
        plan = Plan(ratios, self.score, facts, bits.high_bits, bits.low_bits, bits.other_bits)
        output = run_network(self.state.network, images, plan, self.state.arithmetic()).output
        loss = detection_loss(output, labelled, self.state.network.config.stride).total
        distilled = loss.new_zeros(())
        if self.teacher is not None:
            with torch.no_grad():
                given: Tensor = self.teacher(images)
            distilled = distillation_loss(output, given)
        total = loss + self.options.distillation * distilled
        if not torch.isfinite(total):
            raise InputError("qat", f"step {self.step}: the loss is not finite; lower the learning rate")
        gradients = torch.autograd.grad(total, list(self.parameters.values()), allow_unused=True)
        for parameter, gradient in zip(self.parameters.values(), gradients, strict=True):
            parameter.grad = gradient
        return loss.item(), distilled.item()

    def _report(self, rate: float, loss: float, distilled: float, ratio: int) -> Progress:
        seen = (self.step - self.first_step) * self.options.batch
        elapsed_s = time.monotonic() - self.started
        per_s = seen / max(1e-9, elapsed_s)
        total = self.options.steps * self.options.batch
        return Progress(
            step=self.step,
            total_steps=self.options.steps,
            images=self.images,
            total_images=total,
            elapsed_s=elapsed_s,
            images_per_s=per_s,
            left_s=(total - self.images) / per_s,
            learning_rate=rate,
            loss=loss,
            distillation=distilled,
            ratio=ratio,
        )


def windows_of_stages(detector: Detector, size: int) -> tuple[int, ...]:
    """Windows of one image in each stage, on canvases of `size` px."""
    config = detector.config.backbone
    tokens, counts = -(-size // config.patch_size), []
    for _ in range(config.num_stages):
        counts.append((-(-tokens // config.window_size)) ** 2)
        tokens = -(-tokens // 2)
    return tuple(counts)


def _check_start(start: QuantizedDetector, stage: Stage, both_trained: bool) -> None:
    if stage is Stage.ANNEALING and is_reparameterised(start.options):
        raise InputError("qat", "reparameterised scores cannot be annealed: their weights are products", "model")
    if stage in (Stage.UNIFORM, Stage.CONTROL, Stage.SAA) and both_trained:
        message = f"its low branch was trained, and {stage} would make it anew: begin with a model of one precision"
        raise InputError("qat", message, "model")


def _teacher(teacher: Detector | None, student: Detector, options: QatOptions) -> Detector | None:
    if options.distillation == 0:
        return None
    if teacher is None:
        raise InputError("qat", "is missing: the loss has a share of the float model's", "teacher")
    mine, theirs = student.config, teacher.config
    if (mine.num_classes, mine.stride) != (theirs.num_classes, theirs.stride):
        raise InputError("qat", "has other classes or another grid of cells than the student", "teacher")
    return teacher.to(options.device).eval()


def check_device(device: str) -> None:
    """Raise InputError for an unknown device, or where there is no GPU."""
    if device not in ("cpu", "cuda"):
        raise InputError("qat", f"{device!r} is unknown; allowed: cpu, cuda", "device")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("qat", "this PyTorch finds no GPU; take cpu", "device")
