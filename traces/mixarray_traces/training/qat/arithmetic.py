"""The arithmetic of a training step: the values of fake quantization bit for bit, with gradients."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from mixarray_traces.quantization.arithmetic import Weight
from mixarray_traces.quantization.lsq import LsqLearner, bias_with
from mixarray_traces.quantization.query_key import quantized_as
from mixarray_traces.quantization.statsq import trainable_multiplicands

Learners = Mapping[tuple[str, int], LsqLearner]
"""By (tensor name, branch), like `Calibration.activations`."""


class TrainableArithmetic:
    """As `FakeArithmetic`, over live weights; lives for one step, in which a weight is quantized once for all.

    The order of operations is that of `FakeArithmetic`, and sums of multiplicands are exact, hence the same bits.
    """

    def __init__(self, weights: Mapping[str, Weight], bits: Mapping[str, int], learners: Learners) -> None:
        self._weights = weights
        self._bits = bits
        self._learners = learners
        self._quantized: dict[str, tuple[Tensor, Tensor]] = {}

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.linear`."""
        matrix, steps = self._weight(name)
        learner = self._learner(f"{name}.input", branch)
        multiplicands, step = learner.quantize(inputs)
        bias = self._weights[name].bias
        bias = bias_with(matrix.new_zeros(matrix.shape[0]) if bias is None else bias, matrix, steps, learner.after)
        return torch.addcmul(bias, functional.linear(multiplicands, matrix), steps * step)

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        one, one_step = self._learner(f"{name}.left", branch).quantize(left)
        other, other_step = self._learner(f"{name}.right", branch).quantize(right)
        return (one @ other) * (one_step * other_step)

    def _learner(self, tensor: str, branch: int) -> LsqLearner:
        return self._learners[quantized_as(tensor, self._weights), branch]

    def _weight(self, name: str) -> tuple[Tensor, Tensor]:
        if name not in self._quantized:
            self._quantized[name] = trainable_multiplicands(self._weights[name].matrix, self._bits[name])
        return self._quantized[name]
