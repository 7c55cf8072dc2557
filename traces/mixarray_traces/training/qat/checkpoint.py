"""The checkpoint of a run of quantization-aware training, written atomically."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.identity import weights_sha256
from mixarray_traces.training.qat.options import Settings

CHECKPOINT_FILE = "checkpoint.pt"
FORMAT = "mixarray qat checkpoint 1"
TEACHER = "teacher_sha256"
MODELS = {"start": "quantized model", TEACHER: "teacher"}
"""Settings that are hashes of models, and what those are."""


def save_run(
    folder: Path,
    settings: Settings,
    step: int,
    parameters: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write the state between two steps under a temporary name, then rename it."""
    content = {
        "format": FORMAT,
        "settings": dict(settings),
        "step": step,
        "parameters": {name: value.detach().cpu() for name, value in parameters.items()},
        "optimizer": optimizer.state_dict(),
    }
    path = folder / CHECKPOINT_FILE
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:  # of a path torch.save would hide why the machine does not take it
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load_into_run(
    folder: Path,
    settings: Settings,
    parameters: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> int:
    """Put a saved state in place; returns its step. InputError where it is damaged or of another run."""
    path = folder / CHECKPOINT_FILE
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']!r}, expected {FORMAT!r}")
        saved, step, values, state = (content[key] for key in ("settings", "step", "parameters", "optimizer"))
        _check_settings(path, saved, settings)
        if values.keys() != parameters.keys():
            raise ValueError("it holds other parameters than this model has")
        with torch.no_grad():
            for name, parameter in parameters.items():
                if parameter.shape != values[name].shape:
                    raise ValueError(f"{name} has another shape")
                parameter.copy_(values[name])
        optimizer.load_state_dict(state)
        return int(step)
    except InputError:
        raise
    except Exception as error:  # torch.load raises many types on damaged files
        raise InputError(str(path), f"not a checkpoint of such a run: {error}") from error


def teacher_settings(teacher: Detector | None) -> Settings:
    """Whether there is a teacher, and the SHA-256 of its weights."""
    return {
        "teacher": teacher is not None,
        TEACHER: "" if teacher is None else weights_sha256(teacher),
    }


def _check_settings(path: Path, saved: Mapping[str, object], settings: Settings) -> None:
    for name, value in settings.items():
        older = name == TEACHER and name not in saved  # checkpoints did not always say which teacher it was
        if saved.get(name) != value and not older:
            message = f"{value} is given, {saved.get(name)} is what the run began with"
            if name in MODELS:
                message = f"another {MODELS[name]} is given than the run began with"
            raise InputError(str(path), message, name)
