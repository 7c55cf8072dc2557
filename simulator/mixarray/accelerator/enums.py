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
    """Static power: left out, or CACTI's low-standby-power cells at 300 K or high-performance cells at 360 K."""

    NONE = "none"
    LSTP300 = "lstp300"
    HP360 = "hp360"


class ClockGating(StrEnum):
    """Whether PEs of an array that waits still toggle: they do, or they only leak."""

    NONE = "none"
    IDLE = "idle"


class ZeroGating(StrEnum):
    """Whether a PE whose streamed codes are all zero multiplies: it does, or its operands are held back."""

    NONE = "none"
    OPERAND = "operand"


class Arithmetic(StrEnum):
    """Number format of a vector unit."""

    FP16 = "fp16"
    FP32 = "fp32"


class DramType(StrEnum):
    """Memory technology; the energy table has one energy per bit for each."""

    LPDDR4 = "lpddr4"
    DDR4 = "ddr4"
    HBM2 = "hbm2"
    HBM2E = "hbm2e"


class Charge(StrEnum):
    """Whether an item of work costs what it costs, or nothing (to see what it costs)."""

    CHARGED = "charged"
    FREE = "free"


class Movement(StrEnum):
    """How windows are gathered and scattered: a pass of the vector unit, only addresses (one per burst), or nothing."""

    PASS = "pass"
    BURSTS = "bursts"
    FREE = "free"


class PrunedWindows(StrEnum):
    """What pruned windows cost: nothing, or the copy of their tokens into the next map."""

    BYPASS = "bypass"
    COPY = "copy"


class Search(StrEnum):
    """How tiles and loop orders are chosen: all of the space, or the one documented form."""

    EXHAUSTIVE = "exhaustive"
    FIXED = "fixed"


class Fusion(StrEnum):
    """Operators one after the other, tile by tile with the intermediate result on the chip, or the better of both."""

    LAYERWISE = "layerwise"
    FUSED = "fused"
    BEST = "best"


class Transpose(StrEnum):
    """How K of QK^T is turned: written value by value into its buffer, by a pass of the vector unit, or for nothing."""

    IN_BUFFER = "in_buffer"
    PASS = "pass"
    FREE = "free"


class GroupOrder(StrEnum):
    """High and low rows: one group after the other; both over each stationary tile; each on an array of its own."""

    SEQUENTIAL = "sequential"
    WEIGHT_RESIDENT = "weight_resident"
    CONCURRENT = "concurrent"


class BorderTiles(StrEnum):
    """Whether the rows at the border between groups of one stationary layout share a tile or start a new one."""

    SHARED = "shared"
    OWN = "own"
