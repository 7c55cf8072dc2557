"""Opening a model for a command, with every mistake reported as the user's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mixarray.errors import InputError
from mixarray_analysis.mistakes import users_mistake

if TYPE_CHECKING:
    from mixarray_traces.model.detector import Detector
    from mixarray_traces.quantization import QuantizedDetector


def open_model(path: Path | None) -> QuantizedDetector:
    """The quantized model in a directory, or the shipped one; InputError where it is broken."""
    prepare_torch()
    from mixarray_traces.quantization import load_quantized
    from mixarray_traces.quantization.ship import load_shipped_quantized

    return load_shipped_quantized() if path is None else load_quantized(path)


def load_checkpoint(path: Path | None) -> Detector:
    """A trained detector, the shipped one by default; InputError for a file that is broken or holds NaN."""
    prepare_torch()
    import torch

    from mixarray_traces.model.detector import load_detector
    from mixarray_traces.shipped import shipped_path

    file = shipped_path("detector.safetensors") if path is None else path
    with users_mistake(str(file)):
        detector = load_detector(file)
    for name, value in detector.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise InputError(str(file), "holds values that are not finite numbers", name)
    return detector


def choose_score(name: str | None) -> str:
    """The named importance score, or the default; InputError names those there are."""
    prepare_torch()
    from mixarray_traces.importance import DEFAULT_SCORE, score_names

    if name is None:
        return DEFAULT_SCORE
    if name not in score_names():
        raise InputError("--score", f"{name!r} is no importance score; allowed: {', '.join(score_names())}")
    return name


DETERMINISTIC_CUBLAS = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
"""What PyTorch asks for before deterministic matrix products on a GPU (torch.use_deterministic_algorithms)."""


def prepare_torch(deterministic: bool = True) -> None:
    """Settle how PyTorch runs: the same results on every call where `deterministic`; freed memory is kept for speed.

    PyTorch's deterministic mode also overwrites new memory before it is used, against programs that read what they have
    not written; that takes 6 % of a training step and changes no result, so it is off.
    """
    os.environ.setdefault(*DETERMINISTIC_CUBLAS)
    try:
        import torch
    except ImportError:
        raise InputError("torch", "this command runs the model: pip install 'mixarray[torch]'") from None
    from mixarray_traces.allocator import keep_freed_memory

    keep_freed_memory()
    torch.use_deterministic_algorithms(deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
