"""Quantization: affine numerics, range rules, methods, the two-branch block, the integer mode.

Names are loaded on first use: options and ratios need no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mixarray_traces.quantization.arithmetic import ArithmeticKind
    from mixarray_traces.quantization.calibrate import quantize
    from mixarray_traces.quantization.options import QuantizationOptions, RangeRule, RepqOptions
    from mixarray_traces.quantization.quantized import QuantizedDetector
    from mixarray_traces.quantization.ratios import Ratios
    from mixarray_traces.quantization.store import load_quantized, save_quantized

_HOMES = {
    "ArithmeticKind": "arithmetic",
    "QuantizationOptions": "options",
    "QuantizedDetector": "quantized",
    "RangeRule": "options",
    "RepqOptions": "options",
    "Ratios": "ratios",
    "load_quantized": "store",
    "quantize": "calibrate",
    "save_quantized": "store",
}

__all__ = [
    "ArithmeticKind",
    "QuantizationOptions",
    "QuantizedDetector",
    "RangeRule",
    "Ratios",
    "RepqOptions",
    "load_quantized",
    "quantize",
    "save_quantized",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
