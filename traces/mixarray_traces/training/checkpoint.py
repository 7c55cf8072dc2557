"""Files of a training run, all written atomically."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.training.options import Plan, Settings

CHECKPOINT_FORMAT = 2
METADATA_KEY = "training"


@dataclass(frozen=True)
class PhaseRecord:
    """Canvases seen at one size, in px."""

    size: int
    batch: int
    images: int


@dataclass(frozen=True)
class TrainingRecord:
    """How a weights file came about.

    Attributes:
        generator_version: of the canvases.
        seed: of the run.
        steps: optimizer steps done.
        phases: canvases seen, phase by phase.
        plans: the schedules, one per budget.
        finished: whether the budget was used up.
        bfloat16: whether matrix products ran in bfloat16.
        command: what to type for such a run, its place written RUN; may be empty.
    """

    generator_version: int
    seed: int
    steps: int
    phases: tuple[PhaseRecord, ...]
    plans: tuple[Plan, ...]
    finished: bool
    bfloat16: bool
    command: str


@dataclass(frozen=True)
class Checkpoint:
    """State of a run between two steps.

    Attributes:
        seed: of the run.
        settings: `TrainOptions.settings`, the same in every call of a run.
        step: steps done.
        done: canvases seen in each phase.
        plans: schedules so far.
        weights, mean_weights: state dict of the model and its running mean.
        optimizer: state dict of the optimizer.
    """

    seed: int
    settings: Settings
    step: int
    done: tuple[int, ...]
    plans: tuple[Plan, ...]
    weights: dict[str, Tensor]
    mean_weights: dict[str, Tensor]
    optimizer: dict[str, object]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint under a temporary name, then rename it."""
    content = {
        "format": CHECKPOINT_FORMAT,
        "seed": checkpoint.seed,
        "settings": checkpoint.settings,
        "step": checkpoint.step,
        "done": list(checkpoint.done),
        "plans": [[plan.first_step, plan.total_steps, plan.start_rate, list(plan.steps)] for plan in checkpoint.plans],
        "weights": checkpoint.weights,
        "mean_weights": checkpoint.mean_weights,
        "optimizer": checkpoint.optimizer,
    }
    temporary = path.with_name(path.name + ".tmp")
    torch.save(content, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        InputError: the file is not a checkpoint of this program.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["format"] != CHECKPOINT_FORMAT:
            raise ValueError(f"format {content['format']}, expected {CHECKPOINT_FORMAT}")
        return Checkpoint(
            seed=content["seed"],
            settings=dict(content["settings"]),
            step=content["step"],
            done=tuple(content["done"]),
            plans=tuple(Plan(first, total, rate, tuple(steps)) for first, total, rate, steps in content["plans"]),
            weights=content["weights"],
            mean_weights=content["mean_weights"],
            optimizer=content["optimizer"],
        )
    except Exception as error:  # torch.load raises many types on damaged files
        raise InputError(str(path), f"not a training checkpoint: {error}") from error


def save_weights(path: Path, weights: dict[str, Tensor], record: TrainingRecord) -> None:
    """Write weights as float16 safetensors with their record as metadata, under a temporary name first.

    The record is one JSON string under the key `training`: safetensors writes several keys in random order.
    """
    halves = {name: tensor.detach().to(torch.float16).contiguous() for name, tensor in weights.items()}
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(save(halves, metadata={METADATA_KEY: json.dumps(asdict(record), sort_keys=True)}))
    temporary.replace(path)


def read_record(path: Path) -> TrainingRecord:
    """The record of a file written by `save_weights`.

    Raises:
        ValueError: the file is unreadable or holds no such record; the message names it.
    """
    try:
        with safe_open(path, framework="pt") as file:
            content = json.loads(file.metadata()[METADATA_KEY])
        plans = tuple(Plan(**(plan | {"steps": tuple(plan["steps"])})) for plan in content["plans"])
        phases = tuple(PhaseRecord(**phase) for phase in content["phases"])
        return TrainingRecord(**(content | {"plans": plans, "phases": phases}))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: holds no training record: {error!r}") from error
