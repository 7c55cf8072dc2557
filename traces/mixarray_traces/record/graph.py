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
from mixarray.trace.workload import ALL_WINDOWS
from mixarray_traces.quantization.allocation import Allocation, LayerBits
from mixarray_traces.quantization.side_names import between, side_a, side_b

IMAGE, PATCHES = "image", "patch_embed.input"
"""Two names of the same numbers: pixels, and the patches that they are cut to."""
WEIGHT = ".weight"
"""What follows the operator's name in that of its weight."""


@dataclass(frozen=True, slots=True)
class ActivationFacts:
    """What a trace says of a quantized activation: step, zero point in signed codes, and encoding.

    Of codes of two regions also the shift, and whether magnitudes without the flag are negative (`signed`).
    """

    step: float
    zero_point: int
    encoding: Encoding = Encoding.INT
    region_shift: int = 0
    signed: bool = True


@dataclass(frozen=True, slots=True)
class WeightFacts:
    """What a trace says of a weight: its encoding, and whether its offsets ask for row sums of the activations.

    side_rank: of low-rank weights that run beside it as two thin GEMMs; 0: none.
    """

    encoding: Encoding = Encoding.INT
    needs_row_sums: bool = False
    side_rank: int = 0


@dataclass(frozen=True, slots=True)
class Quantizers:
    """Looks up activations by (tensor name, branch), and weights by the name of their operator."""

    activation: Callable[[str, int], ActivationFacts]
    weight: Callable[[str], WeightFacts]


def _asymmetric(tensor: str, branch: int) -> ActivationFacts:
    return ActivationFacts(1.0, -1)


def _symmetric(name: str) -> WeightFacts:
    return WeightFacts()


UNCALIBRATED = Quantizers(_asymmetric, _symmetric)
"""Step 1 and an asymmetric zero point: of an untrained model only the need for row and column sums is known."""


@dataclass(frozen=True, slots=True)
class Precision:
    """Bit widths of a network's tensors. `branch_bits`: activations of the blocks, high first.

    `allocation` gives single weights and activations other bits.
    """

    branch_bits: tuple[int, ...] = (8, 4)
    weight_bits: int = 4
    other_bits: int = 8
    state_bits: int = 16
    accumulator_bits: int = 32
    allocation: Allocation | None = None

    @property
    def layer_bits(self) -> LayerBits:
        """The bits of every weight and activation."""
        return LayerBits(self.weight_bits, self.branch_bits, self.other_bits, self.allocation)


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

    `beside` are, by accumulators, the row sums that the weights' offsets ask for and the accumulators of a side path:
    what reads the one reads the others.
    """

    precision: Precision
    quantizers: Quantizers
    operators: list[Operator] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    beside: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _count: int = 0

    def finish(self) -> Topology:
        """The topology."""
        return Topology(tuple(self.operators), tuple(self.tensors))

    def activation(self, name: str, batch: int, rows: int, columns: int, variation: Variation) -> int:
        """A quantized activation: one entry per branch where its bits vary, else one.

        The image is quantized as what the patch embedding reads of it.
        """
        quantized_as = PATCHES if name == IMAGE else name
        varies, number = variation is not Variation.NONE, self._next()
        for branch, bits in self.precision.layer_bits.activation(quantized_as).items():
            facts = self.quantizers.activation(quantized_as, branch)
            shape, window_bits = (batch, rows, columns), branch if varies else ALL_WINDOWS
            self._add(number, name, Role.ACTIVATION, shape, bits, facts, variation, window_bits)
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
        inputs += tuple(vector(also, one.relation) for one in inputs for also in self.beside.get(one.tensor, ()))
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
        codes: Input,
        variation: Variation = Variation.NONE,
        rows_per: RowsPer = RowsPer.WINDOW,
    ) -> int:
        """A GEMM with a weight, the row sums and the side path it asks for; returns the tensor of its accumulators."""
        size, facts = (1, rows, outputs, inputs), self.quantizers.weight(name)
        bits = self.precision.layer_bits.weight(name)
        weight = self.weight(f"{name}{WEIGHT}", inputs, outputs, bits, facts.encoding)
        result = self.accumulators(f"{name}.accumulators", 1, rows, outputs)
        beside = []
        if facts.side_rank:
            beside.append(self._side_path(name, place, size, facts.side_rank, codes, variation, rows_per))
        if facts.needs_row_sums:
            read, shape = (vector(codes.tensor, codes.relation),), (1, rows, inputs, 0)
            sums = self.accumulators(f"{name}.row_sums", 1, rows, 1)
            kind = OperatorKind.ROW_SUM
            beside.append(self.operator(f"{name}.row_sum", kind, place, shape, read, sums, variation, rows_per))
        self.beside[result] = tuple(beside)
        operands = (codes, Input(weight, Operand.STATIONARY, Relation.ALL))
        return self.operator(name, OperatorKind.GEMM, place, size, operands, result, variation, rows_per)

    def _side_path(
        self,
        name: str,
        place: Place,
        size: tuple[int, int, int, int],
        rank: int,
        codes: Input,
        variation: Variation,
        rows_per: RowsPer,
    ) -> int:
        """Two thin GEMMs that read the same codes, a requantization between; returns the second one's accumulators."""
        _, rows, outputs, inputs = size
        few = self.linear(side_a(name), place, rows, rank, inputs, codes, variation, rows_per)
        narrow = self.activation(between(name), 1, rows, rank, variation)
        read, shape = (vector(few, Relation.SAME_ROW),), (1, rows, rank, 0)
        kind = OperatorKind.REQUANTIZE
        self.operator(f"{side_a(name)}.requantize", kind, place, shape, read, narrow, variation, rows_per)
        again = stream(narrow, Relation.SAME_ROW)
        return self.linear(side_b(name), place, rows, outputs, rank, again, variation, rows_per)

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
        window_bits: int = ALL_WINDOWS,
    ) -> None:
        quantizer = facts.zero_point, facts.step, facts.encoding
        branch = window_bits, min(facts.region_shift, bits)  # stand-ins (`method_marks`) know no bits
        self.tensors.append(Tensor(number, name, role, *shape, bits, facts.signed, *quantizer, variation, *branch))


def stream(tensor: int, relation: Relation) -> Input:
    """An operand that streams through the array."""
    return Input(tensor, Operand.STREAM, relation)


def vector(tensor: int, relation: Relation) -> Input:
    """An operand that a vector unit reads."""
    return Input(tensor, Operand.VECTOR, relation)
