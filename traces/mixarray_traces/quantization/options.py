"""What can be chosen about quantization: plain data, importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mixarray.errors import InputError
from mixarray_traces.data.items import Split
from mixarray_traces.quantization.aiqvit_options import AiqvitOptions
from mixarray_traces.quantization.allocation import Allocation, LayerBits
from mixarray_traces.quantization.mptq_options import MptqOptions


class RangeRule(StrEnum):
    """How the range of a quantizer is chosen from what calibration saw."""

    MIN_MAX = "min_max"
    PERCENTILE = "percentile"
    MSE = "mse"


class CalibrationData(StrEnum):
    """What calibration saw: drawn CANVASES of a split, or the user's own IMAGES."""

    CANVASES = "canvases"
    IMAGES = "images"


class ZeroPoints(StrEnum):
    """RepQ-ViT's mean zero points: ROUNDED to integers, as hardware needs, or FRACTIONAL, as published."""

    ROUNDED = "rounded"
    FRACTIONAL = "fractional"


class BranchSteps(StrEnum):
    """Where a branch's step behind a LayerNorm comes from: OWN search, or SHARED with the high branch, scaled."""

    OWN = "own"
    SHARED = "shared"


class SoftmaxZero(StrEnum):
    """What stands for 0 among log-sqrt2 codes: the LAST_CODE, or an EXTRA_ZERO beside all codes, as published."""

    LAST_CODE = "last_code"
    EXTRA_ZERO = "extra_zero"


@dataclass(frozen=True, slots=True)
class RepqOptions:
    """What RepQ-ViT leaves open (`methods/repq_vit.py`). `largest_shift`: softmax values shifted further are 0."""

    zero_points: ZeroPoints = ZeroPoints.ROUNDED
    branch_steps: BranchSteps = BranchSteps.OWN
    softmax_zero: SoftmaxZero = SoftmaxZero.LAST_CODE
    largest_shift: int = 15

    def __post_init__(self) -> None:
        if not 1 <= self.largest_shift <= 31:
            raise InputError("quantization", f"{self.largest_shift}; allowed: 1 to 31", "repq.largest_shift")


class LearnedVectors(StrEnum):
    """OFQ's learned vectors at inputs of linear operators: none, BEFORE the quantizer, or BOTH before and behind it."""

    NONE = "none"
    BEFORE = "before"
    BOTH = "both"


class QueryKey(StrEnum):
    """How OFQ forms attention scores (`query_key.py`): from queries and keys, or REPARAMETERISED."""

    STANDARD = "standard"
    REPARAMETERISED = "reparameterised"


class LowBranch(StrEnum):
    """Whether the low branch's steps and LayerNorms are as they were INITIALISED, or TRAINED (SAQA)."""

    INITIALISED = "initialised"
    TRAINED = "trained"


@dataclass(frozen=True, slots=True)
class OfqOptions:
    """What OFQ leaves open (`methods/ofq.py`), and what training did to the low branch."""

    vectors: LearnedVectors = LearnedVectors.BOTH
    query_key: QueryKey = QueryKey.STANDARD
    low_branch: LowBranch = LowBranch.INITIALISED

    def __post_init__(self) -> None:
        if self.query_key is QueryKey.REPARAMETERISED and self.vectors is LearnedVectors.BOTH:
            message = "both; allowed with reparameterised scores: none, before (else run-time sums)"
            raise InputError("quantization", message, "ofq.vectors")


@dataclass(frozen=True, slots=True)
class QuantizationOptions:
    """Bits, range rules and calibration of a quantized detector.

    Blocks: weights at `weight_bits`, activations at `high_bits` or `low_bits` by window (W4A8 / W4A4). Patch
    embedding, patch merging and head are 8-bit operator groups of their own: weights and activations at `other_bits`.
    Both branches are calibrated on all windows of the calibration canvases (which windows run low is not known then).
    Where `calibration_data` is images, number and size are those of the user's photographs (COCO's keep their own
    sizes), and the split does not apply.
    `allocation` gives single layers other bits; a model keeps the entries that change something.
    The ranges are those of `uniform_affine` and `mptq_vit`; `repq` holds the options of `repq_vit`, `ofq` those of
    `ofq`, `aiqvit` and `mptq` those of `aiqvit` and `mptq_vit`; all are None for other methods.
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
    calibration_data: CalibrationData = CalibrationData.CANVASES
    repq: RepqOptions | None = None
    ofq: OfqOptions | None = None
    allocation: Allocation | None = None
    aiqvit: AiqvitOptions | None = None
    mptq: MptqOptions | None = None

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
        if self.allocation is not None and self.ofq is not None and self.ofq.query_key is QueryKey.REPARAMETERISED:
            message = "cannot go with reparameterised scores, whose one input tensor has three names"
            raise InputError("quantization", message, "allocation")

    @property
    def layer_bits(self) -> LayerBits:
        """The bits of every weight and activation."""
        return LayerBits(self.weight_bits, (self.high_bits, self.low_bits), self.other_bits, self.allocation)
