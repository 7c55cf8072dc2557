"""Clamping loss of a layer behind a LayerNorm: what symmetric quantization loses, with SQ-b's bias term and without."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mixarray_traces.quantization.folding import Fold
from mixarray_traces.quantization.options import RangeRule
from mixarray_traces.quantization.symmetric import symmetric_params


@dataclass(frozen=True, slots=True)
class ClampingLoss:
    """Shares, each of 1. clamped: of the values, those that lie beyond the first and the last code by more than half a
    step. values: squared error over the sum of squares, of the values as they were before folding. output: the same
    of the layer's output without its bias, the weights as they are.
    """

    clamped: float
    values: float
    output: float


def clamping_loss(rows: Tensor, matrix: Tensor, fold: Fold, bits: int, rule: RangeRule) -> ClampingLoss:
    """What is lost of `rows` (n, C), which enter `matrix` (N, C), by folding them and quantizing what comes out."""
    rows, matrix = rows.double(), matrix.detach().double()
    folded = fold.values(rows)
    quantizer = symmetric_params(folded.flatten(), float(folded.abs().max()), bits, rule)
    counts = folded / quantizer.step
    outside = (counts > quantizer.highest_code + 0.5) | (counts < quantizer.lowest_code - 0.5)
    errors = (quantizer.multiplicands(folded) * quantizer.step - folded) * fold.factors
    return ClampingLoss(
        float(outside.double().mean()),
        float(errors.square().sum() / rows.square().sum()),
        float((errors @ matrix.T).square().sum() / (rows @ matrix.T).square().sum()),
    )
