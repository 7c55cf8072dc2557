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

QuantizerLookup = Callable[[str, int], tuple[float, int]]
"""(tensor name, bits) -> (step, zero point in signed codes)."""


def uncalibrated(tensor: str, bits: int) -> tuple[float, int]:
    """Step 1 and an asymmetric zero point: of an untrained model only the need for row and column sums is known."""
    return 1.0, -1


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
    """Collects operators and tensors in execution order."""

    precision: Precision
    quantizer: QuantizerLookup
    operators: list[Operator] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
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
            step, zero = self.quantizer(name, bits)
            self._add(number, name, Role.ACTIVATION, (batch, rows, columns), bits, zero, step, variation)
        return number

    def weight(self, name: str, rows: int, columns: int, bits: int) -> int:
        """A weight matrix (inputs, outputs), symmetric, with steps per output channel beside its codes."""
        number = self._next()
        self._add(number, name, Role.WEIGHT, (1, rows, columns), bits, 0, math.nan, Variation.NONE)
        return number

    def state(self, name: str, batch: int, rows: int, columns: int, bits: int | None = None) -> int:
        """Values that never enter a multiplier: the residual stream, or accumulators (`bits`)."""
        number = self._next()
        width = self.precision.state_bits if bits is None else bits
        self._add(number, name, Role.STATE, (batch, rows, columns), width, 0, math.nan, Variation.NONE)
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
        """A GEMM with a weight; returns the tensor of its accumulators."""
        bits = self.precision.weight_bits if place.block >= 0 else self.precision.other_bits
        weight = self.weight(f"{name}.weight", inputs, outputs, bits)
        result = self.accumulators(f"{name}.accumulators", 1, rows, outputs)
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
        zero_point: int,
        step: float,
        variation: Variation,
    ) -> None:
        self.tensors.append(Tensor(number, name, role, *shape, bits, True, zero_point, step, Encoding.INT, variation))


def stream(tensor: int, relation: Relation) -> Input:
    """An operand that streams through the array."""
    return Input(tensor, Operand.STREAM, relation)


def vector(tensor: int, relation: Relation) -> Input:
    """An operand that a vector unit reads."""
    return Input(tensor, Operand.VECTOR, relation)
