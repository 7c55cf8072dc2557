"""What jobs do, apart from where they stand in a Schedule, and what that costs on an accelerator.

Which jobs there are, and whom they wait for, follows from sizes: arrays, slots and capacities. How long they take and
what they count follows from prices: bandwidths, widths of ports and of the vector unit, latencies. Nothing but
`Task.price` looks at those.

Accesses are counted in words of the port's width, rounded up per job; 4-bit codes take 4 bits everywhere. A PE-cycle
is active where a PE multiplies values that exist: idle ones follow from the total and are added by the cost model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mixarray.accelerator.buffers import Buffer
from mixarray.accelerator.enums import WeightLoadRows
from mixarray.accelerator.model import Accelerator
from mixarray.mapping.chain_plan import VectorWork
from mixarray.mapping.schedule import Action
from mixarray.mapping.tiles import Run, Runs
from mixarray.mapping.vector_cost import vector_cost

ACTIVATION, WEIGHT, ACCUMULATOR = "buffers.activation", "buffers.weight", "buffers.accumulator"
CONDITIONAL_SHIFT = "conditional_shift"
"""The action of one product with a code of two regions: shifted where the code's flag says so, or passed on."""
READ_BITS, WRITE_BITS = Action("dram_channels.0", "read_bits"), Action("dram_channels.0", "write_bits")

Actions = tuple[tuple[Action, int], ...]


@dataclass(frozen=True, slots=True)
class Price:
    """How long a job occupies its unit, how much later its result is there, and what it counts."""

    occupancy_cycles: int
    latency_cycles: int
    actions: Actions = ()


FREE = Price(0, 0)
"""Of work that is left out of the account (`own_work`)."""


class Task(Protocol):
    """What a job does; equal tasks have equal prices on every accelerator."""

    def price(self, accelerator: Accelerator) -> Price:
        """What it costs there."""
        ...

    def __hash__(self) -> int: ...


def _accesses(accelerator: Accelerator, *moves: tuple[str, str, int]) -> Actions:
    """(buffer, read or write, bits) as counts of port-wide accesses."""
    return tuple(
        [(Action(place, name), _buffer(accelerator, place).accesses(bits)) for place, name, bits in moves if bits]
    )


def _buffer(accelerator: Accelerator, place: str) -> Buffer:
    if place == ACTIVATION:
        return accelerator.buffers.activation
    return accelerator.buffers.weight if place == WEIGHT else accelerator.buffers.accumulator


@dataclass(frozen=True, slots=True)
class Load:
    """`bits` from DRAM into buffer `place`, behind `before` bits of the same transfer.

    All parts of a transfer together take the cycles, the bursts and the accesses of the whole.
    """

    place: str
    bits: int
    before: int = 0

    def price(self, accelerator: Accelerator) -> Price:
        """As of any task."""
        memory = accelerator.memory
        cycles, moved, written = (
            amount(self.before + self.bits) - amount(self.before)
            for amount in (memory.transfer_cycles, memory.transfer_bits, _buffer(accelerator, self.place).accesses)
        )
        counts = (READ_BITS, moved), (Action(self.place, "write"), written)
        return Price(cycles, memory.latency_cycles, tuple(entry for entry in counts if entry[1]))


@dataclass(frozen=True, slots=True)
class Store:
    """`bits` from buffer `place` to DRAM."""

    place: str
    bits: int

    def price(self, accelerator: Accelerator) -> Price:
        """As of any task."""
        memory = accelerator.memory
        moved, read = memory.transfer_bits(self.bits), _accesses(accelerator, (self.place, "read", self.bits))
        return Price(memory.transfer_cycles(self.bits), memory.latency_cycles, ((WRITE_BITS, moved), *read))


@dataclass(frozen=True, slots=True)
class ArrayLoad:
    """One fold's stationary tile, `depth` values of K, `tile_bits` in all, from buffer `place` into an array."""

    array: int
    depth: int
    tile_bits: int
    place: str

    def price(self, accelerator: Accelerator) -> Price:
        """As of any task."""
        array = accelerator.arrays[self.array]
        rows = array.rows if array.weight_load_rows is WeightLoadRows.ALL else min(self.depth, array.rows)
        return Price(rows * array.row_load_cycles, 0, _accesses(accelerator, (self.place, "read", self.tile_bits)))


@dataclass(frozen=True, slots=True)
class Stream:
    """Rows of `runs`, read from buffer `place`, through a fold of an array of `size` (depth, width).

    The first fold of a column writes its sums, the others add to them.
    """

    array: int
    runs: Runs
    size: tuple[int, int]
    first_fold: bool
    place: str

    def price(self, accelerator: Accelerator) -> Price:
        """As of any task."""
        array = accelerator.arrays[self.array]
        depth, width = self.size
        passes = read_bits = shifts = 0
        energy = []
        for run in self.runs:
            mode = run.mode
            assert mode is not None  # vector work never comes here
            passes += run.rows * mode.passes(depth, array.rows)
            read_bits += run.rows * depth * mode.slots_per_value * run.stream_bits
            shifts += run.rows * depth * width * mode.slots_per_value * run.shifts
            energy.append((Action(f"arrays.{self.array}", mode.action), active_pe_cycles(run, self.size, array.rows)))
        result_bits = width * array.accumulator_bits
        added = passes - sum(run.rows for run in self.runs) if self.first_fold else passes
        moves = (
            (self.place, "read", read_bits),
            (ACCUMULATOR, "read", added * result_bits),
            (ACCUMULATOR, "write", passes * result_bits),
        )
        done = (*energy, *_shifts(self.array, shifts), *_accesses(accelerator, *moves))
        return Price(passes, array.rows + array.columns - 2, done)


def _shifts(array: int, count: int) -> Actions:
    return ((Action(f"arrays.{array}", CONDITIONAL_SHIFT), count),) if count else ()


def active_pe_cycles(run: Run, size: tuple[int, int], array_rows: int) -> int:
    """PE-cycles in which the rows of a run are multiplied in a fold of `size` (depth, width)."""
    assert run.mode is not None  # vector work never comes here
    return run.rows * run.mode.active_rows(size[0], array_rows) * size[1]


@dataclass(frozen=True, slots=True)
class OutputStream:
    """`size` (depth, width): steps of K, and columns of the other operand (in `place`), for sums of the run's rows."""

    array: int
    run: Run
    size: tuple[int, int]
    place: str

    def price(self, accelerator: Accelerator) -> Price:
        """As of any task."""
        array, mode = accelerator.arrays[self.array], self.run.mode
        assert mode is not None  # vector work never comes here
        depth, width = self.size
        moves = (
            (ACTIVATION, "read", self.run.rows * depth * self.run.stream_bits),
            (self.place, "read", depth * width * self.run.stationary_bits),
        )
        macs = self.run.rows * depth * width
        energy = Action(f"arrays.{self.array}", mode.action), macs
        done = (energy, *_shifts(self.array, macs * self.run.shifts), *_accesses(accelerator, *moves))
        return Price(depth * array.row_load_cycles, array.rows + array.columns - 2, done)


@dataclass(frozen=True, slots=True)
class Drain:
    """The sums of a fold of `size` (height, width) out of an array, right behind its last step.

    adds: they are added to those of earlier values of K.
    """

    array: int
    size: tuple[int, int]
    adds: bool

    def price(self, accelerator: Accelerator) -> Price:
        """As of any task."""
        array = accelerator.arrays[self.array]
        height, width = self.size
        bits = height * width * array.accumulator_bits
        rows = array.rows if array.weight_load_rows is WeightLoadRows.ALL else height
        moves = (ACCUMULATOR, "read", bits if self.adds else 0), (ACCUMULATOR, "write", bits)
        return Price(rows, array.rows + array.columns - 2, _accesses(accelerator, *moves))


@dataclass(frozen=True, slots=True)
class Switch:
    """The pause of an array between rows of different modes."""

    def price(self, accelerator: Accelerator) -> Price:
        """As of any task."""
        return Price(accelerator.mixed_precision.mode_switch_cycles, 0)


@dataclass(frozen=True, slots=True)
class VectorPart:
    """So many elements of a vector operator, or scores to sort; `work` says nothing of where the operator stands."""

    work: VectorWork
    elements: int

    def price(self, accelerator: Accelerator) -> Price:
        """As of any task."""
        cost = vector_cost(accelerator, self.work, self.elements)
        done = ((Action("vector_units.0", name), cost.count) for name in cost.actions)
        return Price(cost.cycles, cost.latency_cycles, (*done, *_accesses(accelerator, *cost.moves)))
