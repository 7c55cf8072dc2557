"""A topology under construction: numbered operators and tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from mixarray.trace.model import (
    Encoding,
    Grid,
    Input,
    Operand,
    Operator,
    OperatorKind,
    Relation,
    Role,
    RowsPer,
    Tensor,
    Topology,
    Variation,
)


@dataclass(frozen=True, slots=True)
class ActivationFacts:
    """What a trace says of a quantized activation: step, zero point in signed codes, and encoding."""

    step: float
    zero_point: int
    encoding: Encoding = Encoding.INT


@dataclass(frozen=True, slots=True)
class WeightFacts:
    """What a trace says of a weight: its encoding, and whether its offsets ask for row sums of the activations."""

    encoding: Encoding = Encoding.INT
    needs_row_sums: bool = False


@dataclass(frozen=True, slots=True)
class Quantizers:
    """Looks up activations by (tensor name, bits), and weights by the name of their operator."""

    activation: Callable[[str, int], ActivationFacts]
    weight: Callable[[str], WeightFacts]


def _asymmetric(tensor: str, bits: int) -> ActivationFacts:
    return ActivationFacts(1.0, -1)


def _symmetric(name: str) -> WeightFacts:
    return WeightFacts()


UNCALIBRATED = Quantizers(_asymmetric, _symmetric)
"""Step 1 and an asymmetric zero point: of an untrained model only the need for row and column sums is known."""


@dataclass(frozen=True, slots=True)
class Precision:
    """Bit widths of a network's tensors. `branch_bits`: activations of the blocks, high first."""

    branch_bits: tuple[int, ...] = (8, 4)
    weight_bits: int = 4
    other_bits: int = 8
    state_bits: int = 16
    accumulator_bits: int = 32


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operator stands: -1 and NONE outside the stages, blocks and grids."""

    stage: int = -1
    block: int = -1
    grid: Grid = Grid.NONE


OUTSIDE = Place()


@dataclass
class Graph:
    """Collects operators and tensors in execution order.

    `row_sums` are, by accumulators, the sums that the weights' offsets ask for: what reads the one reads the other.
    """

    precision: Precision
    quantizers: Quantizers
    operators: list[Operator] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    row_sums: dict[int, int] = field(default_factory=dict)
    _count: int = 0

    def finish(self) -> Topology:
        """The topology."""
        return Topology(tuple(self.operators), tuple(self.tensors))

    def activation(self, name: str, batch: int, rows: int, columns: int, variation: Variation) -> int:
        """A quantized activation: one entry per branch where its bits vary, else at the bits outside the blocks."""
        varies = variation is not Variation.NONE
        widths = self.precision.branch_bits if varies else (self.precision.other_bits,)
        number = self._next()
        for bits in widths:
            self._add(
                number,
                name,
                Role.ACTIVATION,
                (batch, rows, columns),
                bits,
                self.quantizers.activation(name, bits),
                variation,
            )
        return number

    def weight(self, name: str, rows: int, columns: int, bits: int, encoding: Encoding) -> int:
        """A weight matrix (inputs, outputs); steps and zero points per output channel stand beside its codes."""
        number, facts = self._next(), ActivationFacts(math.nan, 0, encoding)
        self._add(number, name, Role.WEIGHT, (1, rows, columns), bits, facts, Variation.NONE)
        return number

    def state(self, name: str, batch: int, rows: int, columns: int, bits: int | None = None) -> int:
        """Values that never enter a multiplier: the residual stream, or accumulators (`bits`)."""
        number = self._next()
        width = self.precision.state_bits if bits is None else bits
        self._add(number, name, Role.STATE, (batch, rows, columns), width, ActivationFacts(math.nan, 0), Variation.NONE)
        return number

    def accumulators(self, name: str, batch: int, rows: int, columns: int) -> int:
        """What a GEMM leaves behind."""
        return self.state(name, batch, rows, columns, self.precision.accumulator_bits)

    def operator(
        self,
        name: str,
        kind: OperatorKind,
        place: Place,
        size: tuple[int, int, int, int],
        inputs: tuple[Input, ...],
        output: int,
        variation: Variation = Variation.NONE,
        rows_per: RowsPer = RowsPer.WINDOW,
    ) -> int:
        """Append an operator of `size` (batch, m, n, k); returns its output tensor."""
        inputs += tuple(
            vector(self.row_sums[one.tensor], one.relation) for one in inputs if one.tensor in self.row_sums
        )
        in_block = kind is OperatorKind.GEMM and place.block >= 0
        self.operators.append(
            Operator(
                len(self.operators), name, kind, place.stage, place.block, place.grid,
                *size, variation, rows_per, in_block, inputs, output,
            )
        )  # fmt: skip
        return output

    def linear(
        self,
        name: str,
        place: Place,
        rows: int,
        outputs: int,
        inputs: int,
        stream: Input,
        variation: Variation = Variation.NONE,
        rows_per: RowsPer = RowsPer.WINDOW,
    ) -> int:
        """A GEMM with a weight, and the row sums its weight asks for; returns the tensor of its accumulators."""
        bits = self.precision.weight_bits if place.block >= 0 else self.precision.other_bits
        facts = self.quantizers.weight(name)
        weight = self.weight(f"{name}.weight", inputs, outputs, bits, facts.encoding)
        result = self.accumulators(f"{name}.accumulators", 1, rows, outputs)
        if facts.needs_row_sums:
            self.row_sums[result] = self.operator(
                f"{name}.row_sum",
                OperatorKind.ROW_SUM,
                place,
                (1, rows, inputs, 0),
                (vector(stream.tensor, stream.relation),),
                self.accumulators(f"{name}.row_sums", 1, rows, 1),
                variation,
                rows_per,
            )
        operands = (stream, Input(weight, Operand.STATIONARY, Relation.ALL))
        size = (1, rows, outputs, inputs)
        return self.operator(name, OperatorKind.GEMM, place, size, operands, result, variation, rows_per)

    def _next(self) -> int:
        self._count += 1
        return self._count - 1

    def _add(
        self,
        number: int,
        name: str,
        role: Role,
        shape: tuple[int, int, int],
        bits: int,
        facts: ActivationFacts,
        variation: Variation,
    ) -> None:
        quantizer = facts.zero_point, facts.step, facts.encoding
        self.tensors.append(Tensor(number, name, role, *shape, bits, True, *quantizer, variation))


def stream(tensor: int, relation: Relation) -> Input:
    """An operand that streams through the array."""
    return Input(tensor, Operand.STREAM, relation)


def vector(tensor: int, relation: Relation) -> Input:
    """An operand that a vector unit reads."""
    return Input(tensor, Operand.VECTOR, relation)
