"""What a planned chain is: its loops, the tensors that cross its border, its vector work, and its largest moves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mixarray.mapping.amounts import ceil_div
from mixarray.mapping.chains import Chain
from mixarray.mapping.choice import Choice
from mixarray.mapping.ranking import TokenWalk
from mixarray.mapping.tiles import Loops
from mixarray.trace.model import OperatorKind


class Stage(StrEnum):
    """Where in a chain a tensor enters or leaves.

    RAW: read by operators before the GEMM; STREAM, STATIONARY: operands of the GEMM; SIDE: read by operators after it
    (or by vector work without a GEMM); FED, OUT: written by operators before and after the GEMM. INNER: written by
    operators after the GEMM for the second chain of a fused pair, which reads it before it ever leaves the chip.
    """

    RAW = "raw"
    STREAM = "stream"
    STATIONARY = "stationary"
    SIDE = "side"
    FED = "fed"
    OUT = "out"
    INNER = "inner"


@dataclass(frozen=True, slots=True)
class Traffic:
    """A tensor that crosses the border of a chain: bits per feed (RAW, STREAM, STATIONARY, FED) or per iteration.

    INNER: the bits of a tile of rows, in the iteration that begins it. copy_of: the map whose windows it holds in
    another order (None: it is no such copy).
    """

    tensor: int
    stage: Stage
    operator: int
    bits: tuple[int, ...]
    copy_of: int | None = None


@dataclass(frozen=True, slots=True)
class VectorWork:
    """A vector operator of a chain: elements per feed (before the GEMM) or per stripe, and the bits it moves in all.

    burst_elements: elements that lie behind one another where windows are moved, else 0. sorts: it puts the scores of
    its operator in order, which is cut into groups at `cuts` places. walk: which of those that scores are made from.
    turns: it turns what its operator has written, in its place. by_value: it writes every value by itself. masks: it
    adds the shift mask to its elements.
    """

    operator: int
    kind: OperatorKind
    elements: tuple[int, ...]
    total_elements: int
    makers: tuple[int, ...]
    read_bits: int
    accumulator_bits: int
    write_bits: int
    burst_elements: int = 0
    sorts: bool = False
    turns: bool = False
    by_value: bool = False
    masks: bool = False
    cuts: int = 0
    walk: TokenWalk | None = None

    def moves(self, elements: int) -> tuple[tuple[str, str, int], ...]:
        """Buffer traffic of a part of the elements."""
        return (
            ("buffers.accumulator", "read", elements * self.accumulator_bits),
            ("buffers.activation", "read", ceil_div(self.read_bits * elements, self.total_elements)),
            ("buffers.activation", "write", ceil_div(self.write_bits * elements, self.total_elements)),
        )

    def buffer_bits(self, elements: int) -> int:
        """The larger of what a part of the elements reads from and writes to the activation buffer."""
        return max(bits for place, _, bits in self.moves(elements) if place == "buffers.activation")


@dataclass(frozen=True, slots=True)
class Holding:
    """How a chain uses the buffers.

    activation_slots: tiles of each kind on the chip at once. activation_whole: its tiles may take the whole buffer, so
    nothing of other chains is beside them. weight_slots: slots of the weight buffer that one fetch takes.
    weights_whole: one fetch brings all weights.
    """

    activation_slots: int
    activation_whole: bool
    weight_slots: int
    weights_whole: bool


@dataclass(frozen=True, slots=True)
class ChainPlan:
    """A chain with its loops and everything that it moves and computes.

    choice: how its GEMM lies on the machine, in words of the mapping space (None: no GEMM). parameters: (operator,
    bits) of what operators load for their groups beside the first. array: the one that the GEMM runs on.
    """

    chain: Chain
    loops: Loops
    before: tuple[VectorWork, ...]
    after: tuple[VectorWork, ...]
    traffic: tuple[Traffic, ...]
    weight_bits: int
    k: int
    holding: Holding
    choice: Choice | None
    parameters: tuple[tuple[int, int], ...] = ()
    array: int = 0

    def at(self, stage: Stage) -> tuple[Traffic, ...]:
        """The traffic of one stage."""
        return tuple(entry for entry in self.traffic if entry.stage is stage)


def largest_moves(plan: ChainPlan) -> tuple[int, int]:
    """The most bits that one job moves into or out of the activation buffer: for the first tile, and for the rest."""
    split = plan.loops.lead + 1
    first = later = 0
    for entry in plan.traffic:
        by_iteration = entry.stage in (Stage.SIDE, Stage.OUT)
        first = first if by_iteration else max(first, *entry.bits[:split])
        later = max(later, *entry.bits[0 if by_iteration else split :], 0)
    for work in plan.before:
        first = max(first, work.buffer_bits(max(work.elements[:split])))
        later = max(later, work.buffer_bits(max(work.elements[split:], default=0)))
    for work in plan.after:
        later = max(later, work.buffer_bits(max(work.elements)))
    return first, later
