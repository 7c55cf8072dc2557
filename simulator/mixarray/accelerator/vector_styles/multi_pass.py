"""A SIMD unit that keeps nothing of a row: every statistic is a pass of its own."""

from __future__ import annotations

from mixarray.accelerator.vector_style import VectorStyle
from mixarray.trace.model import OperatorKind

_THREE = {OperatorKind.SOFTMAX: 3, OperatorKind.LAYERNORM: 3}

STYLE = VectorStyle(
    name="multi_pass",
    title="every statistic of a row is a pass of its own",
    passes={kind: _THREE.get(kind, 1) for kind in OperatorKind if kind is not OperatorKind.GEMM},
    source="one read of each element (ONNXim, SystolicWS vector unit rules)",
    sources={
        OperatorKind.SOFTMAX: "Gemmini Normalizer.scala: maximum, sum of exponentials, normalise",
        OperatorKind.LAYERNORM: "Gemmini Normalizer.scala, SwiftTron: mean, variance, normalise",
        OperatorKind.RANK: "assumed: one pass sums the squares of a window's tokens; sorting is the sorter's work",
    },
)
