"""Low-rank weights B A beside quantized linear operators: AILoC, inspired by AIQViT (methods reference 6a).

Known: every linear operator gets learnable B (outputs, r) and A (r, inputs) next to its frozen weight W. Not known is
how they run, so there are two readings. Merged: Q(W + B A), nothing at run time. Side path: Q(W) x + B (A x), two thin
products of r (inputs + outputs) multiplications per row. On the side path A streams the very codes of x; its result is
requantized, both branches with quantizers of their own, and B's sums join W's where those are read. A and B are shared
by the branches and quantized symmetrically, a step per output.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mixarray_traces.quantization.allocation import Allocation
from mixarray_traces.quantization.arithmetic import Arithmetic, Weight
from mixarray_traces.quantization.side_names import between, side_a, side_b


@dataclass(frozen=True)
class LowRank:
    """`a` (r, inputs) and `b` (outputs, r), finite and of one dtype, and their bits on a side path."""

    a: Tensor
    b: Tensor
    bits: int

    def __post_init__(self) -> None:
        if self.a.dim() != 2 or self.b.dim() != 2 or not 1 <= len(self.a) == self.b.shape[1]:
            raise ValueError(f"shapes {tuple(self.a.shape)} and {tuple(self.b.shape)} have no rank in common")
        if self.rank > min(self.a.shape[1], self.b.shape[0]):
            raise ValueError(f"rank {self.rank} is above the {min(self.a.shape[1], self.b.shape[0])} of the weight")
        if not bool(self.a.isfinite().all() and self.b.isfinite().all()):
            raise ValueError("a and b must be finite")

    @property
    def rank(self) -> int:
        """r, from 1."""
        return len(self.a)

    @property
    def product(self) -> Tensor:
        """B A, (outputs, inputs)."""
        return self.b @ self.a


LowRanks = Mapping[str, LowRank]
"""By the name of the linear operator; empty: nothing is compensated."""

NO_LOW_RANK: LowRanks = {}


def merged(weights: Mapping[str, Weight], low_rank: LowRanks) -> dict[str, Weight]:
    """The float weights with B A added."""
    return {
        name: Weight(one.matrix + low_rank[name].product.to(one.matrix), one.bias) if name in low_rank else one
        for name, one in weights.items()
    }


def with_sides(weights: Mapping[str, Weight], low_rank: LowRanks) -> dict[str, Weight]:
    """The float weights, and A and B as operators without bias."""
    found = dict(weights)
    for name, one in low_rank.items():
        found[side_a(name)] = Weight(one.a.to(weights[name].matrix), None)
        found[side_b(name)] = Weight(one.b.to(weights[name].matrix), None)
    return found


def side_allocation(given: Allocation | None, low_rank: LowRanks) -> Allocation:
    """Bits per layer with those of side paths: A, B and, in the low branch within its bits, what passes between."""
    weights = {} if given is None else dict(given.weights)
    activations = {} if given is None else dict(given.activations)
    for name, one in low_rank.items():
        weights |= {side_a(name): one.bits, side_b(name): one.bits}
        activations[between(name)] = one.bits
    return Allocation(weights, activations)


class SidePathArithmetic:
    """Adds B (A x) to the linear operators `names`; another arithmetic executes every single product."""

    def __init__(self, inner: Arithmetic, names: Collection[str]) -> None:
        self._inner = inner
        self._names = frozenset(names)

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.linear`."""
        result = self._inner.linear(name, inputs, branch)
        if name not in self._names:
            return result
        few = self._inner.linear(side_a(name), inputs, branch)
        return torch.add(result, self._inner.linear(side_b(name), few, branch))

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        return self._inner.matmul(name, left, right, branch)


def with_side_path(arithmetic: Arithmetic, names: Collection[str]) -> Arithmetic:
    """The arithmetic itself where no operator has a side path."""
    return SidePathArithmetic(arithmetic, names) if names else arithmetic
