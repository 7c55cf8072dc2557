"""What a training run does: data, budget, schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from mixarray.errors import InputError
from mixarray_traces.model.config import DetectorConfig

Settings = dict[str, int | float | bool]
"""Numbers of TrainOptions by name."""


@dataclass(frozen=True)
class Phase:
    """A part of the run at one canvas size.

    Attributes:
        size: side of the canvases, in px.
        images: canvases to train on.
        batch: canvases per step.
    """

    size: int
    images: int
    batch: int

    def __post_init__(self) -> None:
        if self.size < 32 or self.images < 0 or self.batch < 1:
            raise ValueError(f"Phase: size from 32, images from 0, batch from 1: {self}")

    @property
    def steps(self) -> int:
        """Optimizer steps; the last batch is a whole one."""
        return -(-self.images // self.batch)


def default_phases(images_112: int = 1_000_000, images_224: int = 100_000) -> tuple[Phase, ...]:
    """The two phases of the shipped model: 112 px, then 224 px, with equally many pixels a step."""
    return (Phase(112, images_112, 64), Phase(224, images_224, 16))


@dataclass(frozen=True)
class TrainOptions:
    """Everything that decides a training run.

    Attributes:
        out: folder of the run: `checkpoint.pt` and, as good as it is by then, `detector.safetensors`.
        seed: initialisation and canvases.
        phases: canvas sizes and budget. It may differ from that of the checkpoint a run resumes from, phase by phase.
        model: shape of the detector.
        learning_rate: peak of the schedule.
        weight_decay: of AdamW, on matrices only.
        warm_up_steps: linear rise of the learning rate.
        ema_decay: of the running mean of the weights; the mean is what is evaluated and shipped.
        max_gradient_norm: gradients are scaled down to this.
        checkpoint_steps: steps between checkpoints.
        shards: parts of a batch that run side by side, one thread each; the gradient is their mean. It belongs to
            the run: another number gives other bits. More than one is faster on a busy machine, as shards wait
            for each other once a step and not once an operation.
        bfloat16: run matrix products in bfloat16 (autocast); weights and loss stay float32.
        compiled: compile the model with torch.compile.
        stop_after_s: stop with a checkpoint after this many seconds; None: never.
        command: kept in the record of the weights; names no place.

    Raises:
        InputError: there is not one canvas to train on.
    """

    out: Path
    seed: int = 0
    phases: tuple[Phase, ...] = field(default_factory=default_phases)
    model: DetectorConfig = field(default_factory=DetectorConfig)
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up_steps: int = 300
    ema_decay: float = 0.998
    max_gradient_norm: float = 3.0
    checkpoint_steps: int = 100
    shards: int = 1
    bfloat16: bool = False
    compiled: bool = False
    stop_after_s: float | None = None
    command: str = ""

    def __post_init__(self) -> None:
        if not any(phase.images for phase in self.phases):
            raise InputError("train", "there are no images to train on; give --images-112 or --images-224 above 0")

    @property
    def settings(self) -> Settings:
        """What a run keeps when it is resumed: everything but budget, place, threads and compiling."""
        return {
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
            "warm_up_steps": self.warm_up_steps,
            "ema_decay": self.ema_decay,
            "max_gradient_norm": self.max_gradient_norm,
            "shards": self.shards,
            "bfloat16": self.bfloat16,
        }


@dataclass(frozen=True)
class Plan:
    """A schedule from one step to the end; a resumed run with another budget appends one.

    Attributes:
        first_step: first step under this plan.
        total_steps: steps of the whole run under this plan.
        start_rate: learning rate at its first step, before warm-up.
        steps: steps of each phase.
    """

    first_step: int
    total_steps: int
    start_rate: float
    steps: tuple[int, ...]

    def rate(self, step: int, warm_up_steps: int) -> float:
        """Learning rate of a step: linear warm-up from step 0, cosine from `start_rate` to 0."""
        progress = (step - self.first_step) / max(1, self.total_steps - self.first_step)
        return self.start_rate * min(1.0, (step + 1) / warm_up_steps) * (1 + math.cos(math.pi * progress)) / 2
