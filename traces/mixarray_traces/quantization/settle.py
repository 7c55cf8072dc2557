"""Behind the training of a block: everything that was learned becomes quantizers and low-rank weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mixarray_traces.quantization.arithmetic import (
    Arithmetic,
    Calibration,
    FakeArithmetic,
    ObservingArithmetic,
    Weight,
)
from mixarray_traces.quantization.low_rank import LowRanks, merged, side_allocation, with_side_path, with_sides
from mixarray_traces.quantization.options import RangeRule
from mixarray_traces.quantization.quantizers import ActivationQuantizer, WeightQuantizer
from mixarray_traces.quantization.ranges import mse, weight_params
from mixarray_traces.quantization.reconstruction import BlockTask, Learned
from mixarray_traces.quantization.side_names import between, side_a, side_b


@dataclass(frozen=True)
class Settled:
    """What a block runs with: its low-rank weights, its compensated float weights, and the model's calibration anew."""

    low_rank: LowRanks
    weights: Mapping[str, Weight]
    calibration: Calibration

    @classmethod
    def unchanged(cls, task: BlockTask) -> Settled:
        """As calibration left it."""
        return cls({}, task.weights, task.calibration)

    def arithmetic(self, task: BlockTask) -> Arithmetic:
        """The products of the block, side path included."""
        names = () if task.merges else self.low_rank
        return with_side_path(FakeArithmetic(self.weights, self.calibration), names)


@torch.no_grad()
def settle(task: BlockTask, learned: Learned) -> Settled:
    """Quantizers for what was trained; steps of merged weights are chosen anew.

    Ours: A and B are symmetric; what passes between them gets, in each branch, the range of least squared error.
    """
    low_rank = learned.low_rank(task.options.side_bits)
    activations: dict[tuple[str, int], ActivationQuantizer] = dict(task.calibration.activations)
    activations |= {key: one.freeze() for key, one in learned.intervals.items()}
    quantizers = dict(task.calibration.weights)
    if task.merges:
        weights = merged(task.weights, low_rank)
        quantizers |= {name: task.choose(name, weights[name].matrix) for name in low_rank}
        return Settled(low_rank, weights, Calibration(activations, quantizers))
    weights, sides = with_sides(task.weights, low_rank), dict[str, WeightQuantizer]()
    for name in low_rank:
        for side in (side_a(name), side_b(name)):
            sides[side] = weight_params(weights[side].matrix, task.options.side_bits, RangeRule.MSE)
    calibration = Calibration(activations, quantizers | sides)
    activations |= _between(task, low_rank, weights, calibration)
    return Settled(low_rank, weights, Calibration(activations, calibration.weights))


def _between(
    task: BlockTask, low_rank: LowRanks, weights: Mapping[str, Weight], calibration: Calibration
) -> dict[tuple[str, int], ActivationQuantizer]:
    """The quantizers of what B streams, by (tensor, branch)."""
    found: dict[tuple[str, int], ActivationQuantizer] = {}
    layers = replace(task.layers, allocation=side_allocation(None, low_rank))
    for branch in task.inputs:
        watched = _Watched(weights, calibration, frozenset(map(side_b, low_rank)))
        task.loss(range(len(task.targets)), branch, with_side_path(watched, low_rank))
        seen = watched.observer.statistics()
        for name in low_rank:
            found[between(name), branch] = mse(seen[between(name)], layers.activation(between(name))[branch])
    return found


class _Watched:
    """Fake quantization, but of the operators `watched` the inputs are noted and the product is one of floats."""

    def __init__(self, weights: Mapping[str, Weight], calibration: Calibration, watched: frozenset[str]) -> None:
        self.observer = ObservingArithmetic(weights)
        self._inner = FakeArithmetic(weights, calibration)
        self._watched = watched

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.linear`."""
        return (self.observer if name in self._watched else self._inner).linear(name, inputs, branch)

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        return self._inner.matmul(name, left, right, branch)
