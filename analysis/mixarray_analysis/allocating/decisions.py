"""What a greedy decides: the width of every operand of every GEMM inside the blocks, in the order of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mixarray_analysis.allocating.moves import Bits
from mixarray_traces.quantization.allocation import Allocation

LINEAR = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
PRODUCTS = ("attn.qk", "attn.av")
_ORDER = ("attn.qkv", "attn.qk", "attn.av", "attn.proj", "mlp.fc1", "mlp.fc2")
_WEIGHT = ".weight"


@dataclass(frozen=True, slots=True)
class Layer:
    """One GEMM of a block by its operator name: a linear operator, or a product of two activations."""

    name: str

    @property
    def linear(self) -> bool:
        """Whether its second operand is a weight."""
        return self.name.endswith(LINEAR)

    @property
    def operands(self) -> tuple[str, str]:
        """Tensor names, as in a trace: its two decisions."""
        return (f"{self.name}.input", f"{self.name}{_WEIGHT}") if self.linear else _sides(self.name)

    @property
    def activations(self) -> tuple[str, ...]:
        """Those of its operands that are activations."""
        return self.operands[:1] if self.linear else self.operands


def _sides(name: str) -> tuple[str, str]:
    return f"{name}.left", f"{name}.right"


def layers_of(depths: Sequence[int]) -> tuple[Layer, ...]:
    """Every GEMM of every block of a Swin transformer with so many blocks a stage."""
    blocks = [(stage, block) for stage, depth in enumerate(depths) for block in range(depth)]
    return tuple(Layer(f"stages.{stage}.blocks.{block}.{gemm}") for stage, block in blocks for gemm in _ORDER)


def decisions_of(layers: Sequence[Layer]) -> tuple[str, ...]:
    """The decisions of these layers: two each."""
    return tuple(name for layer in layers for name in layer.operands)


def allocation_of(layers: Sequence[Layer], bits: Bits) -> Allocation:
    """Widths of decisions as quantization takes them; every decision is named, those at the top width too."""
    named = dict(zip(decisions_of(layers), bits, strict=True))
    weights = {name.removesuffix(_WEIGHT): width for name, width in named.items() if name.endswith(_WEIGHT)}
    return Allocation(weights, {name: width for name, width in named.items() if not name.endswith(_WEIGHT)})


def bits_of(layers: Sequence[Layer], allocation: Allocation) -> Bits:
    """The widths of an allocation that names every decision, as `allocation_of` made it."""
    known = {f"{name}{_WEIGHT}": width for name, width in allocation.weights.items()} | dict(allocation.activations)
    return tuple(known[name] for name in decisions_of(layers))
