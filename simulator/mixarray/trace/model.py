"""The vocabulary of a trace: operators, tensors, and how their precision varies.

A trace has two layers. The *topology* (operators and tensors) is the same for every image and every ratio; the
*assignment* says for each window of each block at how many activation bits it ran. Everything here is plain data.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OperatorKind(StrEnum):
    """What an operator does. Only GEMM runs on the array; the others run on a vector unit or as data movement."""

    GEMM = "gemm"
    SOFTMAX = "softmax"
    LAYERNORM = "layernorm"
    GELU = "gelu"
    RESIDUAL = "residual"
    REQUANTIZE = "requantize"
    ROW_SUM = "row_sum"
    COLUMN_SUM = "column_sum"
    TOKEN_MAP = "token_map"
    RANK = "rank"
    GATHER = "gather"
    SCATTER = "scatter"
    PATCH_EMBED = "patch_embed"
    PATCH_MERGE = "patch_merge"
    UPSAMPLE_ADD = "upsample_add"


class Grid(StrEnum):
    """Which window grid a block uses; NONE for operators outside the blocks."""

    NONE = "none"
    REGULAR = "regular"
    SHIFTED = "shifted"


class Variation(StrEnum):
    """How precision may vary inside an operator or tensor.

    ROW: per row of the streaming matrix, in whole windows (linear layers); BATCH: per batch element, in whole
    windows (QK^T and AV: one element per window and head); NONE: one precision for all of it.
    """

    NONE = "none"
    ROW = "row"
    BATCH = "batch"


class RowsPer(StrEnum):
    """What one window contributes to a row-varying operator.

    WINDOW: all window_size**2 positions, padded ones included (attention); TOKEN: only the real tokens of the window
    (MLP, the detection rule, and whatever else runs on the unpadded map).
    """

    WINDOW = "window"
    TOKEN = "token"


class Role(StrEnum):
    """What a tensor is: a weight, a quantized activation, or state that is never multiplied (residual stream)."""

    WEIGHT = "weight"
    ACTIVATION = "activation"
    STATE = "state"


class Encoding(StrEnum):
    """How a code becomes a value.

    INT: step * (code - zero_point). HALF_INT: step * (code + 1/2). LOG_SQRT2: step * 2**(-(code - zero_point) / 2), a
    shift; the highest code is 0, or a `.zeros` bit beside the codes says so. INTERVAL: step * (code - offset) with a
    real offset, which stands beside the codes (`.offset`); the zero point is the code of the lower border.
    TWO_REGION: the highest bit of a code is a flag, the others are a magnitude; step * (magnitude << region_shift)
    where the flag is set, else step * magnitude, or step * -magnitude where the tensor is signed.
    """

    INT = "int"
    HALF_INT = "half_int"
    LOG_SQRT2 = "log_sqrt2"
    INTERVAL = "interval"
    TWO_REGION = "two_region"


class Operand(StrEnum):
    """The place of an input: streamed through the array, held in it, or read by a vector unit."""

    STREAM = "stream"
    STATIONARY = "stationary"
    VECTOR = "vector"


class Relation(StrEnum):
    """How iterations of a consumer depend on those of the producer of one of its inputs."""

    SAME_ROW = "same_row"
    SAME_WINDOW = "same_window"
    SAME_WINDOW_HEAD = "same_window_head"
    MERGE_ROWS = "merge_rows"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Input:
    """One input of an operator: the tensor read, where it enters, and the iteration dependence on its producer."""

    tensor: int
    operand: Operand
    relation: Relation


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of the network.

    Shapes: a GEMM computes (batch, m, n) from a streaming (batch, m, k) and a stationary (batch, k, n) operand; any
    other kind works on (batch, m, n) elements and has k = 0. For ROW variation, m counts the rows of all windows
    together; for BATCH variation, batch = windows * heads. `stage` and `block` are -1 outside the blocks.
    `in_block` marks what published BOPs count: the GEMMs of the transformer blocks.
    """

    operator: int
    name: str
    kind: OperatorKind
    stage: int
    block: int
    grid: Grid
    batch: int
    m: int
    n: int
    k: int
    variation: Variation
    rows_per: RowsPer
    in_block: bool
    inputs: tuple[Input, ...]
    output: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the operator (0 unless it is a GEMM)."""
        return self.batch * self.m * self.n * self.k if self.kind is OperatorKind.GEMM else 0


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor at one precision: a tensor whose bits vary has one entry per branch, the others have one.

    `window_bits` says which windows use this entry: those that the assignment gives so many bits (0: all of them, the
    tensor does not vary). `bits` are those of its codes: the same, unless the model gives the tensor bits of its own.
    Shape (batch, rows, columns) is that of the whole tensor. `step` and `zero_point` are those of the per-tensor
    quantizer of this entry; per-channel steps of weights live beside the codes in `tensors/`, and are NaN here. So
    do per-channel zero points of weights, which are 0 here: where there are any, a row sum stands beside the GEMM.
    Where an activation has a step per position of a window or per channel, `step` is their mean, and the steps stand
    beside the codes. `region_shift` is that of a TWO_REGION tensor, else 0.
    The code that enters the multiplier is signed after the offset is folded: code - zero_point never overflows
    `bits` because the stored codes are already shifted by 2**(bits-1) where the quantizer is unsigned.
    """

    tensor: int
    name: str
    role: Role
    batch: int
    rows: int
    columns: int
    bits: int
    signed: bool
    zero_point: int
    step: float
    encoding: Encoding
    variation: Variation
    window_bits: int
    region_shift: int = 0


@dataclass(frozen=True, slots=True)
class Topology:
    """The operators in execution order, and their tensors (a tensor whose bits vary appears once per branch)."""

    operators: tuple[Operator, ...]
    tensors: tuple[Tensor, ...]
