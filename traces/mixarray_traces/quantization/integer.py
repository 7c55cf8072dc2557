"""The integer mode: every GEMM is executed from its codes, as the array does it (Jacob et al. 2018, eq. 7).

With x = sx (qx - zx) and w = sw qw (weights are symmetric): sum x w = sx sw (sum qx qw - zx sum qw); the second sum is
known per output channel before the run and folds into the bias. With two activations a and b, both sums are run-time
work: sum a b = sa sb (sum qa qb - zb sum qa - za sum qb + K za zb), a row sum of `a` and a column sum of `b`.

Integer sums are float64 matrix products of integer-valued codes: exact, since every sum stays below 2**53.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mixarray_traces.quantization.affine import quantize, quantize_weight
from mixarray_traces.quantization.arithmetic import Calibration, Weight


class IntegerArithmetic:
    """Executes GEMMs from codes: integer accumulate, row and column sums, one multiplication by the steps."""

    def __init__(self, weights: Mapping[str, Weight], calibration: Calibration) -> None:
        self._activations = calibration.activations
        self._weights = {
            name: (
                quantize_weight(weight.matrix.detach().double(), calibration.weights[name]),
                calibration.weights[name].steps.double(),
                None if weight.bias is None else weight.bias.detach().double(),
            )
            for name, weight in weights.items()
        }

    def linear(self, name: str, inputs: Tensor, bits: int) -> Tensor:
        """See `Arithmetic.linear`."""
        params = self._activations[f"{name}.input", bits]
        weight_codes, weight_steps, bias = self._weights[name]
        sums = linear_from_codes(quantize(inputs, params).double(), params.zero_point, weight_codes)
        values = sums * (params.step * weight_steps)
        return (values if bias is None else values + bias).to(inputs.dtype)

    def matmul(self, name: str, left: Tensor, right: Tensor, bits: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        left_params = self._activations[f"{name}.left", bits]
        right_params = self._activations[f"{name}.right", bits]
        sums = matmul_from_codes(
            quantize(left, left_params).double(),
            left_params.zero_point,
            quantize(right, right_params).double(),
            right_params.zero_point,
        )
        return (sums * (left_params.step * right_params.step)).to(left.dtype)


def linear_from_codes(codes: Tensor, zero_point: int, weight_codes: Tensor) -> Tensor:
    """Integer result (..., N) in units of both steps, from codes (..., K) and weight codes (N, K), both float64."""
    static = weight_codes.sum(dim=1) * zero_point
    return codes @ weight_codes.T - static


def matmul_from_codes(left: Tensor, left_zero: int, right: Tensor, right_zero: int) -> Tensor:
    """Integer result (..., M, N) in units of both steps, from codes (..., M, K) and (..., K, N), both float64."""
    row_sums = left.sum(dim=-1, keepdim=True)
    column_sums = right.sum(dim=-2, keepdim=True)
    constant = torch.tensor(left.shape[-1] * left_zero * right_zero, dtype=left.dtype)
    return left @ right - right_zero * row_sums - left_zero * column_sums + constant
