"""The integer mode: every GEMM is executed from its codes, as the array does it (Jacob et al. 2018, eq. 7).

With x = sx (qx - zx) and w = sw (qw - zw): sum x w = sx sw (sum qx qw - zx sum qw - zw sum qx + K zx zw). The second
sum and the last term are known per output channel before the run and fold into the bias; the third is a row sum of the
activations, needed where weights have zero points alone. With two activations a and b, both sums are run-time work: sum
a b = sa sb (sum qa qb - zb sum qa - za sum qb + K za zb), a row sum of `a` and a column sum of `b`.

A log-sqrt2 operand is a shift: its even and its odd exponents are products of their own, joined once per result with
sqrt2 (`log_sqrt2.py`).

Integer sums are float64 matrix products of integer-valued codes: exact, since every sum stays below 2**53.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mixarray.errors import InputError
from mixarray.trace.model import Encoding
from mixarray_traces.quantization.arithmetic import Calibration, Weight
from mixarray_traces.quantization.lsq import after_of, bias_with
from mixarray_traces.quantization.quantizers import ActivationQuantizer
from mixarray_traces.quantization.side_names import input_of


class IntegerArithmetic:
    """Executes GEMMs from codes: integer accumulate, row and column sums, one multiplication by the steps.

    Raises InputError for a quantizer whose codes are no integers.
    """

    def __init__(self, weights: Mapping[str, Weight], calibration: Calibration) -> None:
        check_integer(calibration)
        self._activations = calibration.activations
        self._weights = {
            name: (
                calibration.weights[name].codes(weight.matrix.detach().double()),
                calibration.weights[name].offsets,
                calibration.weights[name].steps.double(),
                None if weight.bias is None else weight.bias.detach().double(),
            )
            for name, weight in weights.items()
        }

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.linear`."""
        quantizer = self._activations[input_of(name), branch]
        weight_codes, weight_offsets, weight_steps, bias = self._weights[name]
        sums = inputs.new_zeros((), dtype=torch.float64)
        for term in quantizer.terms(inputs):
            sums = sums + term.factor * linear_from_codes(term.codes, quantizer.offset, weight_codes, weight_offsets)
        values = sums * (quantizer.step * weight_steps)
        bias = inputs.new_zeros((), dtype=torch.float64) if bias is None else bias
        multiplicands = weight_codes if weight_offsets is None else weight_codes - weight_offsets.unsqueeze(1)
        return (values + bias_with(bias, multiplicands, weight_steps, after_of(quantizer))).to(inputs.dtype)

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        one, other = self._activations[f"{name}.left", branch], self._activations[f"{name}.right", branch]
        sums = left.new_zeros((), dtype=torch.float64)
        for row in one.terms(left):
            for column in other.terms(right):
                product = matmul_from_codes(row.codes, one.offset, column.codes, other.offset)
                sums = sums + row.factor * column.factor * product
        return (sums * (one.step * other.step)).to(left.dtype)


def check_integer(calibration: Calibration) -> None:
    """Raise InputError, naming the tensor, for a quantizer whose codes are no integers."""
    for (name, branch), quantizer in calibration.activations.items():
        if has_fraction(quantizer):
            message = f"has the fractional zero point {quantizer.offset:g}: no integer codes; round the zero points"
            raise InputError("quantized model", message, f"{name}@{branch}")


def has_fraction(quantizer: ActivationQuantizer) -> bool:
    """Whether value 0 lies between two codes (RepQ-ViT as published)."""
    return quantizer.encoding is Encoding.INT and quantizer.offset != quantizer.zero_point


def linear_from_codes(
    codes: Tensor, zero_point: float, weight_codes: Tensor, weight_offsets: Tensor | None = None
) -> Tensor:
    """Integer result (..., N) in units of both steps, from codes (..., K) and weight codes (N, K), all float64.

    `weight_offsets` (N,) are the zero points of the weights, if they have any.
    """
    static = weight_codes.sum(dim=1) * zero_point
    if weight_offsets is None:
        return codes @ weight_codes.T - static
    static = static - weight_codes.shape[1] * zero_point * weight_offsets
    return codes @ weight_codes.T - codes.sum(dim=-1, keepdim=True) * weight_offsets - static


def matmul_from_codes(left: Tensor, left_zero: float, right: Tensor, right_zero: float) -> Tensor:
    """Integer result (..., M, N) in units of both steps, from codes (..., M, K) and (..., K, N), both float64."""
    row_sums = left.sum(dim=-1, keepdim=True)
    column_sums = right.sum(dim=-2, keepdim=True)
    constant = torch.tensor(left.shape[-1] * left_zero * right_zero, dtype=left.dtype)
    return left @ right - right_zero * row_sums - left_zero * column_sums + constant
