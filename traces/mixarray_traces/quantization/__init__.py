"""Quantization: affine numerics, range rules, methods, the two-branch block, the integer mode.

Names are loaded on first use: options and ratios need no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixarray.lazy import loader

if TYPE_CHECKING:
    from mixarray_traces.quantization.arithmetic import ArithmeticKind
    from mixarray_traces.quantization.calibrate import quantize
    from mixarray_traces.quantization.mptq_options import MptqOptions
    from mixarray_traces.quantization.options import QuantizationOptions, RangeRule, RepqOptions
    from mixarray_traces.quantization.quantized import QuantizedDetector
    from mixarray_traces.quantization.ratios import Ratios
    from mixarray_traces.quantization.store import load_quantized, save_quantized

_HOMES = {
    "ArithmeticKind": "arithmetic",
    "MptqOptions": "mptq_options",
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
    "MptqOptions",
    "QuantizationOptions",
    "QuantizedDetector",
    "RangeRule",
    "Ratios",
    "RepqOptions",
    "load_quantized",
    "quantize",
    "save_quantized",
]


__getattr__ = loader(__name__, _HOMES)
