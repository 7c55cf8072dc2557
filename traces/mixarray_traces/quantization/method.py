"""What a quantization method is given and must return; methods are discovered in `quantization.methods`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mixarray.errors import InputError
from mixarray_traces.quantization import methods
from mixarray_traces.quantization.arithmetic import Calibration, Weight
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.ranges import Statistics


@dataclass(frozen=True, slots=True)
class Material:
    """What calibration saw: statistics by activation tensor, float weights and their bits by operator."""

    statistics: Mapping[str, Statistics]
    weights: Mapping[str, Weight]
    weight_bits: Mapping[str, int]


class Method(Protocol):
    """Chooses every quantizer of a model."""

    def __call__(self, material: Material, options: QuantizationOptions) -> Calibration:
        """Steps and zero points of all tensors, for both branches."""
        ...


def method_names() -> tuple[str, ...]:
    """The names of all methods, sorted; a method is named like its file."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(methods.__path__)))


def load_method(name: str) -> Method:
    """The method of this name; InputError with the allowed names otherwise."""
    if name not in method_names():
        raise InputError("quantization", f"{name!r} is unknown; allowed: {', '.join(method_names())}", "method")
    method: Method = importlib.import_module(f"{methods.__name__}.{name}").calibrate
    return method
