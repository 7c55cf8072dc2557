"""The side path of low-rank weights in a trace without a model: one rank beside every linear operator of the blocks."""

from __future__ import annotations

from dataclasses import replace

from mixarray.errors import InputError
from mixarray_traces.quantization.allocation import Allocation
from mixarray_traces.quantization.side_names import between, side_a, side_b
from mixarray_traces.record.graph import UNCALIBRATED, Precision, Quantizers, WeightFacts
from mixarray_traces.record.shape import SwinShape

LINEAR = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")


def compensated_operators(shape: SwinShape) -> tuple[str, ...]:
    """The linear operators of all blocks."""
    blocks = (f"stages.{stage}.blocks.{block}" for stage, depth in enumerate(shape.depths) for block in range(depth))
    return tuple(f"{block}.{name}" for block in blocks for name in LINEAR)


def compensated(
    shape: SwinShape,
    rank: int,
    bits: int = 8,
    precision: Precision | None = None,
    quantizers: Quantizers = UNCALIBRATED,
) -> tuple[Precision, Quantizers]:
    """What `build_topology` and `random_bundle` need for a side path of `rank` at `bits` bits.

    Raises InputError for a rank above a layer's width.
    """
    if rank > shape.channels[0]:
        raise InputError("--rank", f"{rank} is above the {shape.channels[0]} channels of the first stage")
    names = frozenset(compensated_operators(shape))
    chosen = precision or Precision()
    given = chosen.allocation or Allocation({}, {})
    weights = {**given.weights, **{side: bits for name in names for side in (side_a(name), side_b(name))}}
    allocation = Allocation(weights, {**given.activations, **{between(name): bits for name in names}})

    def weight(name: str) -> WeightFacts:
        facts = quantizers.weight(name)
        return replace(facts, side_rank=rank) if name in names else facts

    return replace(chosen, allocation=allocation), replace(quantizers, weight=weight)
