"""The checkpoint of a run of quantization-aware training, written atomically."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.store import quantizers_to_json

CHECKPOINT_FILE = "checkpoint.pt"
FORMAT = "mixarray qat checkpoint 1"


def save_run(
    folder: Path,
    settings: Mapping[str, int | float | str],
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
    torch.save(content, temporary)
    temporary.replace(path)


def load_into_run(
    folder: Path,
    settings: Mapping[str, int | float | str],
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


def start_digest(model: QuantizedDetector) -> str:
    """SHA-256 of the quantized model a run begins with: weights and quantizers."""
    digest = hashlib.sha256(json.dumps(quantizers_to_json(model), sort_keys=True).encode())
    for name, value in sorted(model.detector.state_dict().items()):
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _check_settings(path: Path, saved: Mapping[str, object], settings: Mapping[str, int | float | str]) -> None:
    for name, value in settings.items():
        if saved.get(name) != value:
            message = f"{value} is given, {saved.get(name)} is what the run began with"
            raise InputError(str(path), message, name)
