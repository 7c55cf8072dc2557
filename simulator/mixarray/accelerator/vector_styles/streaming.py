"""A unit with running statistics: one pass gathers them, one applies them."""

from __future__ import annotations

from mixarray.accelerator.vector_style import VectorStyle
from mixarray.trace.model import OperatorKind

_TWO = {OperatorKind.SOFTMAX: 2, OperatorKind.LAYERNORM: 2}

STYLE = VectorStyle(
    name="streaming",
    title="running statistics: one pass gathers them, one applies them",
    passes={kind: _TWO.get(kind, 1) for kind in OperatorKind if kind is not OperatorKind.GEMM},
    source="one read of each element (ONNXim, SystolicWS vector unit rules)",
    sources={
        OperatorKind.SOFTMAX: "Milakov and Gimelshein 2018, online softmax: maximum and sum in one pass, one more",
        OperatorKind.LAYERNORM: "sum and sum of squares in one pass, then normalise (running form: Welford 1962)",
        OperatorKind.RANK: "assumed: one pass sums the squares of a window's tokens; sorting is the sorter's work",
    },
)
