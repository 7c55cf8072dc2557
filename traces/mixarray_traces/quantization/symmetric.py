"""Symmetric activations: one step for a whole tensor, value 0 at code 0 (MPTQ-ViT; which range rule it has is unknown).

Codes are those of `AffineParams` with zero point 0: -2**(bits - 1) .. 2**(bits - 1) - 1.
"""

from __future__ import annotations

from torch import Tensor

from mixarray_traces.quantization.affine import SMALLEST_STEP, AffineParams
from mixarray_traces.quantization.options import RangeRule
from mixarray_traces.quantization.percentile_search import least_error, quantile
from mixarray_traces.quantization.ranges import PERCENTILE, SHRINKS


def symmetric_params(values: Tensor, top: float, bits: int, rule: RangeRule) -> AffineParams:
    """The quantizer of a tensor whose magnitudes reach `top`, from a sample (n,) of its values.

    MIN_MAX: nothing up to `top` is clamped. PERCENTILE: the largest 1 - PERCENTILE of the magnitudes are. MSE: `top` is
    shrunk to the least squared error on the sample, the widest of equals. A tensor of zeros gets step 1.
    """
    highest = (1 << (bits - 1)) - 1
    if rule is RangeRule.PERCENTILE:
        top = float(quantile(values.abs().double().sort().values, PERCENTILE))
    if top / highest * SHRINKS[-1] < SMALLEST_STEP:
        return AffineParams(bits, 1.0, 0)
    shrinks = SHRINKS if rule is RangeRule.MSE else (1.0,)
    return least_error(values, [AffineParams(bits, top * shrink / highest, 0) for shrink in shrinks])
