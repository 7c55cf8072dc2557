"""How a product with quantized operands is executed: in float, by fake quantization, or watched for calibration.

The forward pass is written once (`network.py`, `two_branch.py`) and asks an `Arithmetic` for every GEMM. A GEMM is
named like its operator in the trace; its activation operands are `<name>.input`, or `.left` and `.right` for the two
attention products.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from mixarray_traces.quantization.lsq import after_of, bias_with
from mixarray_traces.quantization.magnitudes import Magnitudes
from mixarray_traces.quantization.quantizers import ActivationQuantizer, WeightQuantizer
from mixarray_traces.quantization.ranges import Sampling, Statistics, spread
from mixarray_traces.quantization.side_names import input_of


class ArithmeticKind(StrEnum):
    """FLOAT: quantizers off; FAKE: quantized values, floating-point sums; INTEGER: codes and integer sums."""

    FLOAT = "float"
    FAKE = "fake"
    INTEGER = "integer"


@dataclass(frozen=True, slots=True)
class Weight:
    """The parameters of one linear operator: matrix (outputs, inputs) and bias (outputs,), if there is one."""

    matrix: Tensor
    bias: Tensor | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """Every quantizer of a model: activations by (tensor name, branch), weights by operator name.

    A branch is named by the options' bits; the quantizer's own `bits` may be others (`allocation.py`).
    """

    activations: Mapping[tuple[str, int], ActivationQuantizer]
    weights: Mapping[str, WeightQuantizer]


class Arithmetic(Protocol):
    """Executes the GEMMs of a network. `branch` is what the Plan calls the bits of the rows at hand."""

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        """`inputs` (..., K) times the transposed weight of operator `name`, plus its bias."""
        ...

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """The product of two activations, `left` (..., M, K) and `right` (..., K, N)."""
        ...


class FloatArithmetic:
    """Quantizers off: the plain model."""

    def __init__(self, weights: Mapping[str, Weight]) -> None:
        self._weights = weights

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.linear`; `branch` is ignored."""
        weight = self._weights[name]
        return functional.linear(inputs, weight.matrix, weight.bias)

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.matmul`; `branch` is ignored."""
        return left @ right


class FakeArithmetic:
    """Fake quantization: operands are rounded to multiples of their step, sums run in floating point.

    The steps are factored out of the sum, so the products are of multiplicands. Where these are small integers, sums
    below 2**24 (2**53 in float64) are exact, and no result depends on the order in which a library adds.
    """

    def __init__(self, weights: Mapping[str, Weight], calibration: Calibration) -> None:
        self._activations = calibration.activations
        self._prepared = {name: _prepare(weight, calibration.weights[name]) for name, weight in weights.items()}

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.linear`."""
        codes, steps, bias = self._prepared[name]
        quantizer = self._activations[input_of(name), branch]
        sums = functional.linear(quantizer.multiplicands(inputs), codes)
        bias = bias_with(bias, codes, steps, after_of(quantizer))
        return torch.addcmul(bias, sums, (steps * quantizer.step).to(sums.dtype), out=sums)

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        one, other = self._activations[f"{name}.left", branch], self._activations[f"{name}.right", branch]
        sums = one.multiplicands(left) @ other.multiplicands(right)
        scale = one.step * other.step
        return sums.mul_(scale.to(sums.dtype) if isinstance(scale, Tensor) else scale)


def _prepare(weight: Weight, quantizer: WeightQuantizer) -> tuple[Tensor, Tensor, Tensor]:
    matrix = weight.matrix.detach()
    bias = matrix.new_zeros(matrix.shape[0]) if weight.bias is None else weight.bias.detach()
    return quantizer.multiplicands(matrix), quantizer.steps.to(matrix.dtype), bias


class ObservingArithmetic:
    """Runs in float and keeps, of every activation operand, the extremes and an evenly spaced sample.

    Of the operands whose names end as `sampling` says, whole rows are kept beside it, both operands of some products,
    and mean magnitudes where it asks for them.
    """

    def __init__(self, weights: Mapping[str, Weight], sampling: Sampling | None = None) -> None:
        self._float = FloatArithmetic(weights)
        self._magnitudes = Magnitudes()
        self._sampling = sampling or Sampling()
        self._extremes: dict[str, tuple[float, float]] = {}
        self._samples: dict[str, list[Tensor]] = {}
        self._rows: dict[str, list[Tensor]] = {}
        self._products: dict[str, list[tuple[Tensor, Tensor]]] = {}

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.linear`."""
        self._observe(f"{name}.input", inputs)
        return self._float.linear(name, inputs, branch)

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        self._observe(f"{name}.left", left)
        self._observe(f"{name}.right", right)
        if name.endswith(self._sampling.products):
            count = self._sampling.products_per_call
            kept = spread(left.flatten(0, -3), count).clone(), spread(right.flatten(0, -3), count).clone()
            self._products.setdefault(f"{name}.left", []).append(kept)
        return self._float.matmul(name, left, right, branch)

    def statistics(self) -> dict[str, Statistics]:
        """What was seen, by tensor name."""
        rows = {name: torch.cat(kept) for name, kept in self._rows.items()}
        magnitudes = self._magnitudes.means()
        return {
            name: Statistics(
                low,
                high,
                torch.cat(self._samples[name]),
                rows.get(name),
                magnitudes.get(name),
                tuple(self._products.get(name, ())),
            )
            for name, (low, high) in self._extremes.items()
        }

    def _observe(self, tensor: str, values: Tensor) -> None:
        low, high = (float(value) for value in values.aminmax())
        before = self._extremes.get(tensor, (low, high))
        self._extremes[tensor] = (min(low, before[0]), max(high, before[1]))
        kept = spread(values.flatten(), self._sampling.values_per_call)
        self._samples.setdefault(tensor, []).append(kept.double())
        if tensor.endswith(self._sampling.row_tensors):
            rows = spread(values.flatten(0, -2), self._sampling.rows_per_call)
            self._rows.setdefault(tensor, []).append(rows.clone())
        if self._sampling.magnitudes:
            self._magnitudes.add(tensor, values)
