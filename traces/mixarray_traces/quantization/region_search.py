"""OPT-m's search: step and shift of a two-region quantizer, together (MPTQ-ViT; methods reference 5a).

Known: the ratio of the regions' factors is searched from data. Guesses: m from 0 to b and the step are tried together,
and the least error of the layer behind wins (or of the values themselves). Ours: steps are those whose second region
reaches the largest value, times 1 down to 0.15; the first of equals wins, smaller shifts and wider steps first; a shift
whose largest sum could leave a 32-bit accumulator is not tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.quantization.affine import SMALLEST_STEP
from mixarray_traces.quantization.percentile_search import squared_error
from mixarray_traces.quantization.quantizers import WeightQuantizer
from mixarray_traces.quantization.two_region import TwoRegionParams

ACCUMULATOR_BITS = 32
"""Of the accumulators that a trace states (`record.graph.Precision`)."""
SHARES = tuple(step / 20 for step in range(20, 2, -1))
"""Candidates of the step: the one that reaches the largest value, times 1 down to 0.15."""

OutputError = Callable[[TwoRegionParams], float]


def search_two_region(
    error: OutputError, high: float, bits: int, negative: bool, largest_shift: int
) -> TwoRegionParams:
    """The quantizer of least error for values up to `high`; step 1 and shift 0 where no value is above 0."""
    top = (1 << (bits - 1)) - 1
    shifts = range(min(bits, largest_shift) + 1)
    if high * SHARES[-1] / (top << shifts[-1]) < SMALLEST_STEP:
        return TwoRegionParams(bits, 1.0, 0, negative)
    candidates = [
        TwoRegionParams(bits, high * share / (top << shift), shift, negative) for shift in shifts for share in SHARES
    ]
    return min(candidates, key=error)


def value_error(values: Tensor) -> OutputError:
    """Mean squared error of the values (n,) themselves."""
    return lambda quantizer: squared_error(values, quantizer)


def linear_error(inputs: Tensor, matrix: Tensor, weight: WeightQuantizer) -> OutputError:
    """Mean squared error of a linear layer's outputs, its weight quantized too; `inputs` (n, K), `matrix` (N, K)."""
    matrix = matrix.detach()
    quantized = weight.multiplicands(matrix) * weight.steps.to(matrix).unsqueeze(1)
    wanted = inputs @ matrix.T

    def error(quantizer: TwoRegionParams) -> float:
        found = (quantizer.multiplicands(inputs) * quantizer.step) @ quantized.T
        return float((found - wanted).double().square().mean())

    return error


def product_error(products: Sequence[tuple[Tensor, Tensor]]) -> OutputError:
    """Mean squared error of products (n, M, K) times (n, K, N), whose right operands stay as they are."""
    wanted = [left @ right for left, right in products]

    def error(quantizer: TwoRegionParams) -> float:
        sums = [
            (((quantizer.multiplicands(left) * quantizer.step) @ right - one).double().square().sum(), one.numel())
            for (left, right), one in zip(products, wanted, strict=True)
        ]
        return float(sum(total for total, _ in sums)) / sum(count for _, count in sums)

    return error


def largest_shift(name: str, bits: int, other_bits: int, depth: int) -> int:
    """The largest shift whose sum of `depth` products fits the accumulator whatever the codes; InputError if none."""
    most = depth * ((1 << (bits - 1)) - 1) << (other_bits - 1)
    room = (1 << (ACCUMULATOR_BITS - 1)) - 1
    if most > room:
        message = f"{depth} products of {bits} by {other_bits} bits leave {ACCUMULATOR_BITS}-bit accumulators"
        raise InputError("quantization", message, name)
    return (room // most).bit_length() - 1
