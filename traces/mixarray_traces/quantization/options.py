"""What can be chosen about quantization: plain data, importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mixarray.errors import InputError
from mixarray_traces.data.items import Split


class RangeRule(StrEnum):
    """How the range of a quantizer is chosen from what calibration saw."""

    MIN_MAX = "min_max"
    PERCENTILE = "percentile"
    MSE = "mse"


@dataclass(frozen=True, slots=True)
class QuantizationOptions:
    """Bits, range rules and calibration of a quantized detector.

    Blocks: weights at `weight_bits`, activations at `high_bits` or `low_bits` by window (W4A8 / W4A4). Patch
    embedding, patch merging and head are 8-bit operator groups of their own: weights and activations at `other_bits`.
    Both branches are calibrated on all windows of the calibration canvases (which windows run low is not known then).
    """

    method: str = "uniform_affine"
    weight_bits: int = 4
    high_bits: int = 8
    low_bits: int = 4
    other_bits: int = 8
    weight_range: RangeRule = RangeRule.MSE
    high_range: RangeRule = RangeRule.MSE
    low_range: RangeRule = RangeRule.MSE
    calibration_split: Split = Split.VALIDATION
    calibration_canvases: int = 32
    calibration_size: int = 224
    seed: int = 0

    def __post_init__(self) -> None:
        for field in ("weight_bits", "high_bits", "low_bits", "other_bits"):
            bits = getattr(self, field)
            if not 2 <= bits <= 8:
                raise InputError("quantization", f"{bits} bits; allowed: 2 to 8", field)
        if self.low_bits >= self.high_bits:
            message = f"{self.low_bits} is not below high_bits {self.high_bits}"
            raise InputError("quantization", message, "low_bits")
        if self.calibration_canvases < 1:
            raise InputError("quantization", f"{self.calibration_canvases}; at least 1", "calibration_canvases")
        if self.calibration_size < 32:
            raise InputError("quantization", f"{self.calibration_size} px; at least 32", "calibration_size")
