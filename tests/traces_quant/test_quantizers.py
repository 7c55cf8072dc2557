"""The contract of quantizers: every kind fulfils it, and both arithmetics work for kinds that they do not know."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from mixarray.trace.model import Encoding
from mixarray_traces.quantization.affine import AffineParams, WeightParams
from mixarray_traces.quantization.arithmetic import Calibration, FakeArithmetic, Weight
from mixarray_traces.quantization.asymmetric import AsymmetricWeightParams
from mixarray_traces.quantization.fractional import FractionalParams
from mixarray_traces.quantization.integer import IntegerArithmetic
from mixarray_traces.quantization.log_sqrt2 import LogSqrt2Params
from mixarray_traces.quantization.quantizers import ActivationQuantizer, Term, WeightQuantizer


@dataclass(frozen=True)
class PositionSteps:
    """Signed LSQ: a step per window position, no zero point."""

    bits: int
    step: Tensor
    encoding: Encoding = Encoding.INT
    zero_point: int = 0
    offset: float = 0.0

    def codes(self, values: Tensor) -> Tensor:
        half = 1 << (self.bits - 1)
        return (values / self.step.to(values.dtype)).round().clamp(-half, half - 1)

    def multiplicands(self, values: Tensor) -> Tensor:
        return self.codes(values)

    def terms(self, values: Tensor) -> tuple[Term]:
        return (Term(1.0, self.codes(values).double()),)


@dataclass(frozen=True)
class HalfIntegerWeight:
    """StatsQ: value = step * (code + 1/2)."""

    bits: int
    steps: Tensor
    encoding: Encoding = Encoding.HALF_INT
    zero_points: None = None

    @property
    def offsets(self) -> Tensor:
        return torch.full_like(self.steps, -0.5)

    def codes(self, matrix: Tensor) -> Tensor:
        half = 1 << (self.bits - 1)
        return (matrix / self.steps.to(matrix.dtype).unsqueeze(1) - 0.5).round().clamp(-half, half - 1)

    def multiplicands(self, matrix: Tensor) -> Tensor:
        return self.codes(matrix) + 0.5


STEPS = torch.tensor([0.1, 0.3], dtype=torch.float64)


@pytest.mark.parametrize(
    "quantizer",
    [
        AffineParams(4, 0.1, 3),
        FractionalParams(4, 0.1, 2.5),
        LogSqrt2Params(4, 0.9),
        PositionSteps(4, torch.ones(5, 1)),
    ],
)
def test_activation_kinds_fulfil_the_contract(quantizer: ActivationQuantizer) -> None:
    assert isinstance(quantizer, ActivationQuantizer)
    values = torch.linspace(-1, 2, 55, dtype=torch.float64).reshape(5, 11)
    total = torch.zeros_like(values)
    for term in quantizer.terms(values):
        total += term.factor * (term.codes - quantizer.offset)
    torch.testing.assert_close(total, quantizer.multiplicands(values), rtol=0, atol=1e-12)
    assert -8 <= float(quantizer.codes(values).min()) <= float(quantizer.codes(values).max()) <= 7


@pytest.mark.parametrize(
    "quantizer",
    [
        WeightParams(4, STEPS),
        AsymmetricWeightParams(4, STEPS, torch.tensor([-3, 2])),
        HalfIntegerWeight(4, STEPS),
    ],
)
def test_weight_kinds_fulfil_the_contract(quantizer: WeightQuantizer) -> None:
    assert isinstance(quantizer, WeightQuantizer)
    matrix = torch.linspace(-2, 2, 26, dtype=torch.float64).reshape(2, 13)
    codes, offsets = quantizer.codes(matrix), quantizer.offsets
    assert torch.equal(codes, codes.round())
    assert -8 <= float(codes.min()) <= float(codes.max()) <= 7
    shifted = codes if offsets is None else codes - offsets.unsqueeze(1)
    assert torch.equal(shifted, quantizer.multiplicands(matrix))


@pytest.mark.parametrize("weight", [WeightParams(4, STEPS), HalfIntegerWeight(4, STEPS)])
def test_steps_per_window_position_broadcast(weight: WeightQuantizer) -> None:
    """Inputs (windows, positions, K) with a step per position; both arithmetics are the textbook product."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(3, 5, 13, generator=generator, dtype=torch.float64)
    matrix = torch.randn(2, 13, generator=generator, dtype=torch.float64)
    bias = torch.tensor([1.0, -1.0], dtype=torch.float64)
    steps = torch.linspace(0.05, 0.4, 5, dtype=torch.float64).unsqueeze(1)
    quantizer = PositionSteps(4, steps)
    calibration = Calibration({("fc.input", 4): quantizer}, {"fc": weight})
    weights = {"fc": Weight(matrix, bias)}
    values = quantizer.multiplicands(inputs) * steps
    expected = values @ (weight.multiplicands(matrix) * STEPS.unsqueeze(1)).T + bias
    for arithmetic in (FakeArithmetic(weights, calibration), IntegerArithmetic(weights, calibration)):
        torch.testing.assert_close(arithmetic.linear("fc", inputs, 4), expected, rtol=0, atol=1e-12)
    single = FakeArithmetic({"fc": Weight(matrix.float(), bias.float())}, calibration)
    torch.testing.assert_close(single.linear("fc", inputs.float(), 4), expected.float(), rtol=0, atol=0.2)


def test_steps_of_both_operands_broadcast_in_products() -> None:
    """Queries with a step per position, values with a step per channel (OFQ)."""
    generator = torch.Generator().manual_seed(1)
    left = torch.randn(2, 3, 5, 7, generator=generator, dtype=torch.float64)
    right = torch.randn(2, 3, 7, 4, generator=generator, dtype=torch.float64)
    one = PositionSteps(4, torch.linspace(0.1, 0.5, 5, dtype=torch.float64).unsqueeze(1))
    other = PositionSteps(4, torch.linspace(0.2, 0.4, 4, dtype=torch.float64).unsqueeze(0))
    calibration = Calibration({("qk.left", 4): one, ("qk.right", 4): other}, {})
    expected = (one.codes(left) * one.step) @ (other.codes(right) * other.step)
    for arithmetic in (FakeArithmetic({}, calibration), IntegerArithmetic({}, calibration)):
        torch.testing.assert_close(arithmetic.matmul("qk", left, right, 4), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("steps", "zeros"), [([1.0, 0.0], [0, 0]), ([1.0], [0, 0]), ([1.0, 1.0], [0, 8]), ([1.0, 1.0], [0.0, 0.5])]
)
def test_impossible_weights_are_refused(steps: list[float], zeros: list[int]) -> None:
    with pytest.raises(ValueError, match=r"step|zero point"):
        AsymmetricWeightParams(4, torch.tensor(steps, dtype=torch.float64), torch.tensor(zeros))
