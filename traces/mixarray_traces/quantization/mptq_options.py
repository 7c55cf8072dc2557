"""What can be chosen about MPTQ-ViT: plain data, importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mixarray.errors import InputError


class SmoothedRange(StrEnum):
    """Which max|X| of a channel SQ-b smooths by: that of the SHIFTED channel, or of the RAW one."""

    SHIFTED = "shifted"
    RAW = "raw"


class SoftmaxQuantizer(StrEnum):
    """Softmax outputs under MPTQ-ViT: UNIFORM from 0, or in two regions (TWO_REGION)."""

    UNIFORM = "uniform"
    TWO_REGION = "two_region"


class RegionSearch(StrEnum):
    """By what OPT-m chooses step and shift: the error of the layer's OUTPUT, or that of the VALUES themselves."""

    OUTPUT = "output"
    VALUES = "values"


@dataclass(frozen=True, slots=True)
class MptqOptions:
    """What the sources on MPTQ-ViT leave open (`methods/mptq_vit.py`). alpha: of the smoothing; bias: SQ-b's shift."""

    alpha: float = 0.5
    bias: bool = True
    smoothed_range: SmoothedRange = SmoothedRange.SHIFTED
    softmax: SoftmaxQuantizer = SoftmaxQuantizer.UNIFORM
    region_search: RegionSearch = RegionSearch.OUTPUT

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise InputError("quantization", f"{self.alpha}; allowed: 0 to 1", "mptq.alpha")
