"""A unit in the data's way: what needs one look at each element is done while it passes."""

from __future__ import annotations

from mixarray.accelerator.vector_style import VectorStyle
from mixarray.trace.model import OperatorKind

_ON_THE_WAY = (
    OperatorKind.SOFTMAX,
    OperatorKind.GELU,
    OperatorKind.REQUANTIZE,
    OperatorKind.ROW_SUM,
    OperatorKind.COLUMN_SUM,
)
_TWO = {OperatorKind.LAYERNORM: 2}

STYLE = VectorStyle(
    name="fused",
    title="softmax, GELU, requantization and sums on the data's way; the rest as a streaming unit",
    passes={
        kind: 0 if kind in _ON_THE_WAY else _TWO.get(kind, 1) for kind in OperatorKind if kind is not OperatorKind.GEMM
    },
    source="one read of each element (ONNXim, SystolicWS vector unit rules)",
    sources={
        OperatorKind.SOFTMAX: "ITA (ISLPED 2023), ita_package.sv: computed while QK^T streams out and AV streams in",
        OperatorKind.GELU: "Gemmini: activation functions act on the accumulator's way out",
        OperatorKind.REQUANTIZE: "Gemmini: scaling acts on the accumulator's way out",
        OperatorKind.ROW_SUM: "standard algebra of zero points: one further column of the product",
        OperatorKind.COLUMN_SUM: "standard algebra of zero points: one further row of the product",
        OperatorKind.LAYERNORM: "sum and sum of squares in one pass, then normalise",
        OperatorKind.RANK: "assumed: one pass sums the squares of a window's tokens; sorting is the sorter's work",
    },
)
