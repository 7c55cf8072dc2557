"""What a run of quantization-aware training does: plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mixarray.errors import InputError
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.quantization.provenance import Stage, TrainingRun

Settings = dict[str, int | float | str]
"""What a run keeps when it is resumed, by name."""


_STREAMS = {Stage.UNIFORM: 0, Stage.CONTROL: 1, Stage.SAQA: 1, Stage.SAA: 1, Stage.JOINT: 1, Stage.ANNEALING: 2}


class WindowCounts(StrEnum):
    """How a training turns a ratio into a number of low windows, or of pruned ones.

    STOCHASTIC: rounded up or down at random, right in the mean. FLOOR: the rule of inference, which rounds up: a stage
    of one window, the last one at 112 px, is then low (pruned) at every ratio above 0, and what is left learns nothing.
    """

    STOCHASTIC = "stochastic"
    FLOOR = "floor"


@dataclass(frozen=True)
class QatOptions:
    """Everything that decides a run besides the model it begins with and its teacher.

    Known from OFQ's recipe for Swin-T at W4A4 (methods reference 4a): AdamW without weight decay or warm-up, cosine to
    1e-5, loss and distillation weighed equally, boundary 0.005. Ours: budget, batch and canvas size, the cap on
    gradients, and 5e-4 to begin with, for all stages: a choice for short runs, not shown to be the best one (published
    for the uniform stage: 2e-4, over 300 epochs; SparseViT adapts float weights at 1e-5; for SAQA and annealing no rate
    is known).

    Attributes:
        out: folder of the run: `checkpoint.pt`, and `model`, a quantized model, when it ends or stops.
        stage: what the run is for.
        seed: of canvases and ratios.
        images: canvases to train on.
        batch: canvases per step.
        size: side of a canvas, in px.
        learning_rate, final_rate: ends of the cosine.
        max_gradient_norm: gradients are scaled down to this.
        distillation: weight of the teacher's share of the loss; 0: no teacher.
        boundary: of annealing: weights whose fraction lies within 1/2 +- this are trained.
        window_counts: where ratios are drawn.
        score: importance score that ranks windows there.
        device: cpu or cuda.
        checkpoint_steps: steps between checkpoints.
        stop_after_s: stop with a checkpoint after this many seconds; None: never.

    Raises:
        InputError: a value is out of its range; the message names it.
    """

    out: Path
    stage: Stage
    seed: int = 0
    images: int = 100_000
    batch: int = 64
    size: int = 112
    learning_rate: float = 5e-4
    final_rate: float = 1e-5
    max_gradient_norm: float = 3.0
    distillation: float = 1.0
    boundary: float = 0.005
    window_counts: WindowCounts = WindowCounts.STOCHASTIC
    score: str = DEFAULT_SCORE
    device: str = "cpu"
    checkpoint_steps: int = 100
    stop_after_s: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("images", 1), ("batch", 1), ("size", 32), ("seed", 0), ("checkpoint_steps", 1)):
            if getattr(self, name) < least:
                raise InputError("qat", f"{getattr(self, name)}; at least {least}", name)
        for name in ("learning_rate", "final_rate", "distillation", "max_gradient_norm"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError("qat", f"{value}; allowed: finite numbers from 0", name)
        if not 0 <= self.boundary <= 0.5:
            raise InputError("qat", f"{self.boundary}; allowed: 0 to 0.5", "boundary")

    @property
    def steps(self) -> int:
        """Optimizer steps; the last batch is a whole one."""
        return -(-self.images // self.batch)

    @property
    def stream(self) -> int:
        """Seed of the canvases. Stages that are compared with SAQA see its own; others, and pre-training, others."""
        return 1_000_000 + 3 * self.seed + _STREAMS[self.stage]

    def run(self, images: int) -> TrainingRun:
        """What the model is told of this run once `images` canvases were seen."""
        budget = self.steps * self.batch
        return TrainingRun(self.stage, self.seed, images, budget, self.batch, self.size, self.learning_rate)

    def rate(self, step: int) -> float:
        """Learning rate of a step: a cosine from `learning_rate` to `final_rate`."""
        share = (1 + math.cos(math.pi * step / self.steps)) / 2
        return self.final_rate + (self.learning_rate - self.final_rate) * share

    @property
    def settings(self) -> Settings:
        """What a resumed run must share: everything but its place, device and stops."""
        return {
            "stage": self.stage.value,
            "seed": self.seed,
            "images": self.images,
            "batch": self.batch,
            "size": self.size,
            "learning_rate": self.learning_rate,
            "final_rate": self.final_rate,
            "max_gradient_norm": self.max_gradient_norm,
            "distillation": self.distillation,
            "boundary": self.boundary,
            "window_counts": self.window_counts.value,
            "score": self.score,
        }
