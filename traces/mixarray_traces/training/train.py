"""Training of the detector: seeded, resumable bit for bit, AdamW with warm-up and cosine."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mixarray.errors import InputError
from mixarray_traces.data.canvas import GENERATOR_VERSION, CanvasSource, open_source
from mixarray_traces.data.items import Split
from mixarray_traces.model.detector import Detector, build_detector, images_to_input
from mixarray_traces.training.checkpoint import (
    Checkpoint,
    PhaseRecord,
    TrainingRecord,
    load_checkpoint,
    save_checkpoint,
    save_weights,
)
from mixarray_traces.training.options import Phase, Plan, TrainOptions
from mixarray_traces.training.targets import Batch, LossTerms, detection_loss

CHECKPOINT_FILE = "checkpoint.pt"
"""Name in the folder of a run; a run can be resumed where it exists."""


@dataclass(frozen=True)
class Progress:
    """Reported after every step.

    Attributes:
        step, total_steps: steps done and to do.
        size: canvas size of the step, in px.
        images: canvases seen so far, all phases.
        learning_rate, class_loss, box_loss: of the step.
        elapsed_s: wall time of this call so far.
    """

    step: int
    total_steps: int
    size: int
    images: int
    learning_rate: float
    class_loss: float
    box_loss: float
    elapsed_s: float


@dataclass(frozen=True)
class TrainResult:
    """How a call of `train` ended.

    Attributes:
        weights: the float16 safetensors file.
        finished: False where `stop_after_s` ended it early.
        images: canvases seen in each phase, earlier calls included.
    """

    weights: Path
    finished: bool
    images: tuple[int, ...]


def train(options: TrainOptions, progress: Callable[[Progress], None] | None = None) -> TrainResult:
    """Train, from `options.out / CHECKPOINT_FILE` where that exists.

    A resumed run ends with the same bits as an uninterrupted one on the same machine and thread count, provided
    the budget is unchanged; with another budget the cosine restarts at the learning rate reached.

    Args:
        options: the run.
        progress: called after every step.

    Returns:
        Where the weights (running mean, float16) are and how much was seen.

    Raises:
        InputError: the full item set is not installed; the checkpoint is damaged, of another run or of other
            settings; `options.out` cannot be made (where one of these is so, it is left as it was); or the loss is not
            finite.
    """
    run = _Run(options, open_training_canvases())
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(str(options.out), f"cannot be written: {error.strerror}", "--out") from None
    finished = run.go(progress)
    return TrainResult(run.weights_file, finished, tuple(run.done))


def open_training_canvases() -> CanvasSource:
    """Canvases of the training split; InputError where the full item set is not installed."""
    try:
        return open_source(Split.TRAIN)
    except (OSError, ValueError) as error:
        raise InputError("training canvases", str(error)) from error


def collate(source: CanvasSource, seed: int, first: int, count: int, size: int) -> Batch:
    """Canvases `first` to `first + count - 1` of a stream, with their annotation padded to the fullest one."""
    canvases = [source.draw(seed, index, size) for index in range(first, first + count)]
    most = max(len(canvas.labels) for canvas in canvases)
    boxes = torch.zeros(count, max(1, most), 4)
    labels = torch.full((count, max(1, most)), -1, dtype=torch.int64)
    for row, canvas in enumerate(canvases):
        boxes[row, : len(canvas.labels)] = torch.from_numpy(canvas.boxes)
        labels[row, : len(canvas.labels)] = torch.from_numpy(canvas.labels)
    return Batch(np.stack([canvas.image for canvas in canvases]), boxes, labels)


def split_batch(batch: Batch, parts: int) -> list[Batch]:
    """A batch as `parts` batches of (nearly) equal size; fewer where there are fewer canvases."""
    rows = np.array_split(np.arange(len(batch.images)), min(parts, len(batch.images)))
    return [Batch(batch.images[part], batch.boxes[part], batch.labels[part]) for part in rows]


def _use_one_thread() -> None:
    torch.set_num_threads(1)


class _Run:
    """State of one call of `train`."""

    def __init__(self, options: TrainOptions, source: CanvasSource) -> None:
        self.options = options
        self.source = source
        self.checkpoint_file = options.out / CHECKPOINT_FILE
        self.weights_file = options.out / "detector.safetensors"
        torch.manual_seed(options.seed)
        self.model = build_detector(options.model)
        self.optimizer = _optimizer(self.model, options)
        self.mean_weights = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.step = 0
        self.done = [0] * len(options.phases)
        self.plans: tuple[Plan, ...] = ()
        if self.checkpoint_file.exists():
            self._restore(load_checkpoint(self.checkpoint_file))
        self._plan()
        self.workers = ThreadPoolExecutor(max_workers=options.shards, initializer=_use_one_thread)
        self.forward: Callable[[Tensor], Tensor] = self.model
        if options.compiled:
            self.forward = torch.compile(self.model, dynamic=False)

    def _restore(self, checkpoint: Checkpoint) -> None:
        if checkpoint.seed != self.options.seed or len(checkpoint.done) != len(self.done):
            raise InputError(str(self.checkpoint_file), "of a run with another seed or other phases")
        for name, value in self.options.settings.items():
            if checkpoint.settings.get(name) != value:
                message = f"{value} is given, {checkpoint.settings.get(name)} is what the run began with"
                raise InputError(str(self.checkpoint_file), message, name)
        try:
            self.model.load_state_dict(checkpoint.weights)
            self.optimizer.load_state_dict(checkpoint.optimizer)
        except (RuntimeError, ValueError) as error:
            raise InputError(str(self.checkpoint_file), f"of another model: {error}") from error
        self.mean_weights = dict(checkpoint.mean_weights)
        self.step, self.done, self.plans = checkpoint.step, list(checkpoint.done), checkpoint.plans

    def _plan(self) -> None:
        """Append a plan where the budget is new."""
        steps = tuple(phase.steps for phase in self.options.phases)
        if self.plans and self.plans[-1].steps == steps:
            return
        left = sum(max(0, phase.steps - seen // phase.batch) for phase, seen in self._phases_and_done())
        last = self.plans[-1] if self.plans else None
        rate = last.rate(self.step, 1) if last else self.options.learning_rate
        self.plans = (*self.plans, Plan(self.step, self.step + left, rate, steps))

    def _phases_and_done(self) -> list[tuple[Phase, int]]:
        return list(zip(self.options.phases, self.done, strict=True))

    def _next_phase(self) -> int | None:
        for index, (phase, seen) in enumerate(self._phases_and_done()):
            if seen // phase.batch < phase.steps:
                return index
        return None

    def go(self, progress: Callable[[Progress], None] | None) -> bool:
        """Run to the end of the budget, or until `stop_after_s`; True at the end of the budget."""
        started = time.monotonic()
        with ThreadPoolExecutor(max_workers=1) as maker:
            phase = self._next_phase()
            batch = self._request(maker, phase)
            while phase is not None and batch is not None:
                current, ready = phase, batch.result()
                self.done[current] += self.options.phases[current].batch
                phase = self._next_phase()
                batch = self._request(maker, phase)
                report = self._train_step(ready, current, started)
                if progress is not None:
                    progress(report)
                limit = self.options.stop_after_s
                late = limit is not None and time.monotonic() - started >= limit
                if phase is None or late or self.step % self.options.checkpoint_steps == 0:
                    self._save(finished=phase is None)
                if late:
                    return phase is None
        return True

    def _request(self, maker: ThreadPoolExecutor, phase: int | None) -> Future[Batch] | None:
        if phase is None:
            return None
        chosen = self.options.phases[phase]
        stream = self.options.seed * len(self.options.phases) + phase
        return maker.submit(collate, self.source, stream, self.done[phase], chosen.batch, chosen.size)

    def _train_step(self, batch: Batch, phase: int, started: float) -> Progress:
        rate = self.plans[-1].rate(self.step, self.options.warm_up_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = self._set_gradients(batch)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.options.max_gradient_norm)
        self.optimizer.step()
        self.step += 1
        self._update_mean()
        return Progress(
            step=self.step,
            total_steps=self.plans[-1].total_steps,
            size=self.options.phases[phase].size,
            images=sum(self.done),
            learning_rate=rate,
            class_loss=loss.classes,
            box_loss=loss.boxes,
            elapsed_s=time.monotonic() - started,
        )

    def _set_gradients(self, batch: Batch) -> LossTerms:
        """Gradients and loss of a batch: the mean of its shards, which run side by side."""
        shards = split_batch(batch, self.options.shards)
        if len(shards) == 1:
            results = [self._shard_gradients(shards[0])]
        else:
            results = list(self.workers.map(self._shard_gradients, shards))
        losses = [loss for loss, _ in results]
        total = torch.stack([loss.total for loss in losses]).mean()
        if not torch.isfinite(total):
            raise InputError("train", f"step {self.step}: the loss is not finite; lower the learning rate")
        for index, parameter in enumerate(self.model.parameters()):
            parameter.grad = torch.stack([gradients[index] for _, gradients in results]).mean(dim=0)
        count = len(losses)
        return LossTerms(total, sum(x.classes for x in losses) / count, sum(x.boxes for x in losses) / count)

    def _shard_gradients(self, batch: Batch) -> tuple[LossTerms, tuple[Tensor, ...]]:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.options.bfloat16):
            output = self.forward(images_to_input(batch.images))
        loss = detection_loss(output, batch, self.options.model.stride)
        gradients = torch.autograd.grad(loss.total, list(self.model.parameters()))
        return LossTerms(loss.total.detach(), loss.classes, loss.boxes), gradients

    def _update_mean(self) -> None:
        decay = min(self.options.ema_decay, (1 + self.step) / (10 + self.step))
        current = self.model.state_dict()
        for name, mean in self.mean_weights.items():
            mean.lerp_(current[name], 1 - decay)

    def _save(self, finished: bool) -> None:
        checkpoint = Checkpoint(
            seed=self.options.seed,
            settings=self.options.settings,
            step=self.step,
            done=tuple(self.done),
            plans=self.plans,
            weights=self.model.state_dict(),
            mean_weights=self.mean_weights,
            optimizer=self.optimizer.state_dict(),
        )
        save_checkpoint(self.checkpoint_file, checkpoint)
        save_weights(self.weights_file, self.mean_weights, self._record(finished))

    def _record(self, finished: bool) -> TrainingRecord:
        return TrainingRecord(
            generator_version=GENERATOR_VERSION,
            seed=self.options.seed,
            steps=self.step,
            phases=tuple(PhaseRecord(phase.size, phase.batch, seen) for phase, seen in self._phases_and_done()),
            plans=self.plans,
            finished=finished,
            bfloat16=self.options.bfloat16,
            command=self.options.command,
        )


def _optimizer(model: Detector, options: TrainOptions) -> torch.optim.AdamW:
    """AdamW; no decay on vectors (biases, norms) and on the position bias tables."""
    named = list(model.named_parameters())
    plain = [value for name, value in named if value.dim() < 2 or name.endswith("relative_position_bias_table")]
    plain_ids = {id(value) for value in plain}
    decayed = [value for _, value in named if id(value) not in plain_ids]
    groups = [{"params": decayed, "weight_decay": options.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.98), foreach=True)
