"""What a quantization method is given and must return; methods are discovered in `quantization.methods`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Protocol

from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.quantization import methods
from mixarray_traces.quantization.arithmetic import Calibration, Weight
from mixarray_traces.quantization.folding import NO_FOLDING, Folding
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ranges import Sampling, Statistics


@dataclass(frozen=True, slots=True)
class Material:
    """What calibration saw: statistics by activation tensor, float weights by operator, and the bits of both.

    activation_bits: by tensor, then by branch, the high one first; branches may have equal bits.
    """

    statistics: Mapping[str, Statistics]
    weights: Mapping[str, Weight]
    weight_bits: Mapping[str, int]
    activation_bits: Mapping[str, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a method chose: every quantizer, and what it folds into the float model, whose function stays the same."""

    calibration: Calibration
    folding: Folding = field(default_factory=lambda: NO_FOLDING)


class Method(Protocol):
    """Chooses every quantizer of a model."""

    def __call__(self, material: Material, options: QuantizationOptions) -> Outcome:
        """Steps and zero points of all tensors, for both branches."""
        ...


Refine = Callable[[QuantizedDetector, Sequence[Tensor], Callable[[int, int], None] | None], QuantizedDetector]
"""Trains a calibrated model on the batches of normalised images that calibration saw; told (blocks done, blocks)."""


def method_names() -> tuple[str, ...]:
    """The names of all methods, sorted; a method is named like its file."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(methods.__path__)))


def load_method(name: str) -> Method:
    """The method of this name; InputError with the allowed names otherwise."""
    method: Method = _module(name).calibrate
    return method


def load_sampling(name: str) -> Sampling:
    """How much calibration must keep for the method of this name: its `SAMPLING`, or the default."""
    sampling: Sampling = getattr(_module(name), "SAMPLING", Sampling())
    return sampling


def load_refine(name: str) -> Refine | None:
    """What the method of this name does after calibration: its `refine`, None where it has none."""
    refine: Refine | None = getattr(_module(name), "refine", None)
    return refine


def _module(name: str) -> ModuleType:
    if name not in method_names():
        raise InputError("quantization", f"{name!r} is unknown; allowed: {', '.join(method_names())}", "method")
    return importlib.import_module(f"{methods.__name__}.{name}")
