"""What training a quantized model went through: saved beside its quantizers, no part of what the model computes.

Two models of the same numbers are the same model however they came about, so no hash of a model covers this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Stage(StrEnum):
    """What a run of quantization-aware training is for.

    UNIFORM: OFQ at one precision, from float weights. CONTROL: the same again from a quantized model, with SAQA's
    budget and canvases, so that SAQA is compared with equal training. SAQA: both branches, new ratios at every step.
    SAA: SparseViT's sparsity-aware adaptation, from a quantized model: one precision, pruned windows by new ratios at
    every step, with SAQA's budget and canvases. JOINT: SAQA with pruned windows besides. ANNEALING: OFQ's
    confidence-guided annealing, from a quantized model.
    """

    UNIFORM = "uniform"
    CONTROL = "control"
    SAQA = "saqa"
    SAA = "saa"
    JOINT = "joint"
    ANNEALING = "annealing"


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One run of quantization-aware training (`training.qat`).

    Attributes:
        stage: what it was for.
        seed: of canvases and ratios.
        images: canvases seen; `budget_images` where the run came to its end.
        budget_images: canvases of the whole run, a whole number of batches.
        batch: canvases per step.
        size: side of a canvas, in px.
        learning_rate: of the first step.
    """

    stage: Stage
    seed: int
    images: int
    budget_images: int
    batch: int
    size: int
    learning_rate: float

    def __str__(self) -> str:
        return (
            f"{self.stage}, seed {self.seed}, {self.images:,} of {self.budget_images:,} canvases of {self.size} px, "
            f"{self.batch} a step, learning rate {self.learning_rate:g}"
        )


Training = tuple[TrainingRun, ...]
"""The runs behind a model, the first one first; empty where it was only calibrated, or saved before runs were noted."""
_WHOLE = ("seed", "images", "budget_images", "batch", "size")


def training_to_json(training: Training) -> list[dict[str, Any]]:
    """The runs as plain JSON values."""
    return [asdict(run) for run in training]


def training_from_json(entries: Any) -> Training:
    """What `training_to_json` wrote; ValueError, KeyError or TypeError where it is broken."""
    if not isinstance(entries, list):
        raise TypeError("no list of runs")
    return tuple(_run(entry) for entry in entries)


def _run(entry: Mapping[str, Any]) -> TrainingRun:
    whole = {name: entry[name] for name in _WHOLE}
    for name, value in whole.items():
        if type(value) is not int or value < 0:
            raise ValueError(f"{name} {value!r} is no integer from 0")
    return TrainingRun(stage=Stage(entry["stage"]), **whole, learning_rate=float(entry["learning_rate"]))
