"""The low branch's own LayerNorms as plain data: saved beside the quantizers, attached where a model runs.

Known: MixA-Q copies LayerNorm per branch and shares weights and biases (methods reference 1a). A guess: both LayerNorms
of a block are copied. They differ from the shared ones after training alone; without training a model has none.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mixarray_traces.model.branch_norms import BranchNorms
from mixarray_traces.model.kinds import Model, blocks_by_name


@dataclass(frozen=True)
class NormPair:
    """gamma and beta of a block's two LayerNorms, float64 (C,) each."""

    gamma1: Tensor
    beta1: Tensor
    gamma2: Tensor
    beta2: Tensor

    def __post_init__(self) -> None:
        for one in self.tensors:
            if one.dim() != 1 or one.shape != self.gamma1.shape or not bool(one.isfinite().all()):
                raise ValueError("gammas and betas must have one finite number per channel")

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """All four, in order."""
        return self.gamma1, self.beta1, self.gamma2, self.beta2


LowNorms = Mapping[str, NormPair]
"""By block, named as in the trace; empty: both branches share the LayerNorms."""
NO_LOW_NORMS: LowNorms = {}


@torch.no_grad()
def attach_low_norms(model: Model, norms: LowNorms) -> Model:
    """A copy of the model whose low branch has these LayerNorms; the model itself where there are none."""
    if not norms:
        return model
    attached = copy.deepcopy(model)
    blocks = blocks_by_name(attached)
    for name, pair in norms.items():
        block = blocks[name]
        own = BranchNorms(block.norm1, block.norm2)
        for target, value in zip(_parameters(own.norm1, own.norm2), pair.tensors, strict=True):
            target.copy_(value)
        block.low_norms = own
    return attached


def copies_of_norms(model: Model) -> dict[str, NormPair]:
    """What a low branch begins with: the LayerNorms as they are."""
    return {name: _pair(block.norm1, block.norm2) for name, block in blocks_by_name(model).items()}


def read_low_norms(model: Model) -> dict[str, NormPair]:
    """What was attached to a model."""
    return {
        name: _pair(block.low_norms.norm1, block.low_norms.norm2)
        for name, block in blocks_by_name(model).items()
        if block.low_norms is not None
    }


def detach_low_norms(model: Model) -> Model:
    """A copy of the model whose branches share the LayerNorms."""
    plain = copy.deepcopy(model)
    for block in blocks_by_name(plain).values():
        block.low_norms = None
    return plain


def pair_to_json(pair: NormPair) -> list[list[float]]:
    """The four vectors."""
    return [one.tolist() for one in pair.tensors]


def pair_from_json(entry: Any, channels: int) -> NormPair:
    """What `pair_to_json` wrote; ValueError or TypeError where it is broken or has another number of channels."""
    vectors = [torch.tensor([float(value) for value in vector], dtype=torch.float64) for vector in entry]
    if len(vectors) != 4 or len(vectors[0]) != channels:
        raise ValueError(f"needs four vectors of {channels} numbers")
    return NormPair(*vectors)


def _pair(norm1: nn.LayerNorm, norm2: nn.LayerNorm) -> NormPair:
    return NormPair(*(one.detach().double().cpu() for one in _parameters(norm1, norm2)))


def _parameters(norm1: nn.LayerNorm, norm2: nn.LayerNorm) -> tuple[Tensor, ...]:
    return norm1.weight, norm1.bias, norm2.weight, norm2.bias
