"""Confidence-guided annealing (CGA) of OFQ: after training, only weights that could go either way still move.

Known (methods reference 4a): weights are frozen unless their fraction, where they lie between two codes, is within
1/2 +- boundary. Guesses: who is frozen is settled anew at every step; the matrices of all StatsQ operators are frozen
so, while biases, LayerNorms, position biases and LSQ's numbers train on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mixarray_traces.quantization.statsq import near_threshold


@dataclass(frozen=True)
class Held:
    """A weight matrix (outputs, inputs), a copy of it as it was, and where it may move (bool)."""

    weight: Tensor
    before: Tensor
    free: Tensor


def hold(weights: Mapping[str, Tensor], bits: Mapping[str, int], boundary: float) -> list[Held]:
    """Note, before an optimizer step, which weights may move; `weights` are views, by operator."""
    return [
        Held(weight, weight.clone(), near_threshold(weight, bits[name], boundary)) for name, weight in weights.items()
    ]


@torch.no_grad()
def put_back(held: list[Held]) -> None:
    """After the step, undo it for the frozen weights (momentum would move them, too)."""
    for one in held:
        one.weight.copy_(torch.where(one.free, one.weight, one.before))
