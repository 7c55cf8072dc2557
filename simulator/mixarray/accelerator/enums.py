"""The choices an accelerator configuration makes by name."""

from __future__ import annotations

from enum import StrEnum


class Dataflow(StrEnum):
    """Which operand stays in the array."""

    WEIGHT_STATIONARY = "weight_stationary"
    INPUT_STATIONARY = "input_stationary"
    OUTPUT_STATIONARY = "output_stationary"


class WeightLoading(StrEnum):
    """When the next stationary tile may load (design 5): after the array drained, after the last row, or meanwhile.

    Output-stationary: when the next sums may start: after the last ones left, are on their way, or meanwhile.
    """

    SERIAL = "serial"
    SINGLE = "single"
    DOUBLE = "double"


class WeightLoadRows(StrEnum):
    """How many array rows one load writes (output-stationary: a drain empties): all R, or only those the fold uses."""

    ALL = "all"
    USED = "used"


class Leakage(StrEnum):
    """Static power: left out, or CACTI's low-standby-power cells at 300 K. Never a silent default."""

    NONE = "none"
    LSTP300 = "lstp300"


class Arithmetic(StrEnum):
    """Number format of a vector unit."""

    FP16 = "fp16"
    FP32 = "fp32"


class DramType(StrEnum):
    """Memory technology; the energy table has one energy per bit for each."""

    LPDDR4 = "lpddr4"
    DDR4 = "ddr4"
    HBM2 = "hbm2"
