"""Jobs with their durations and actions: what each step costs on this accelerator.

Jobs of an array carry the dependencies of their fold (load and stream, or stream and drain, following each other in
the Schedule) and of the array's registers; whatever else binds them is added where they are put in order.
Accesses are counted in words of the port's width, rounded up per job; 4-bit codes take 4 bits everywhere. A PE-cycle
is active where a PE multiplies values that exist: idle ones follow from the total and are added by the cost model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mixarray.accelerator.enums import WeightLoadRows
from mixarray.accelerator.model import Accelerator, Array
from mixarray.mapping.chain_plan import VectorWork
from mixarray.mapping.own_work import FreeJobs
from mixarray.mapping.schedule import Action, Job, JobKind, Products
from mixarray.mapping.tiles import Run, Runs
from mixarray.mapping.units import DRAM, VECTOR, ArrayUnits, array_units, load_waits, loaded, output_waits, summed
from mixarray.mapping.vector_cost import vector_cost

ACTIVATION, WEIGHT, ACCUMULATOR = "buffers.activation", "buffers.weight", "buffers.accumulator"

Actions = tuple[tuple[Action, int], ...]


@dataclass(frozen=True, slots=True)
class Shop:
    """Makes jobs for array number `array` of one accelerator, and for the units that arrays share.

    free: those that take no time and no energy. made: moves and vector jobs, each made once: most differ in nothing.
    Works are told apart by their objects, which a shop must not outlive.
    """

    accelerator: Accelerator
    array: int = 0
    free: FreeJobs = frozenset()
    made: dict[tuple[object, ...], Job] = field(default_factory=dict, compare=False, repr=False)

    @property
    def model(self) -> Array:
        """The array."""
        return self.accelerator.arrays[self.array]

    @property
    def units(self) -> ArrayUnits:
        """Its units."""
        return array_units(self.array)

    @property
    def _pe(self) -> str:
        return f"arrays.{self.array}"

    def _accesses(self, *moves: tuple[str, str, int]) -> Actions:
        """(buffer, read or write, bits) as counts of port-wide accesses."""
        buffers = self.accelerator.buffers
        places = {ACTIVATION: buffers.activation, WEIGHT: buffers.weight, ACCUMULATOR: buffers.accumulator}
        return tuple((Action(place, name), places[place].accesses(bits)) for place, name, bits in moves if bits)

    def dram_load(self, kind: JobKind, operator: int, bits: int, before: int = 0) -> Job:
        """`bits` from DRAM into the weight or the activation buffer, behind `before` bits of the same transfer.

        All parts of a transfer together take the cycles, the bursts and the accesses of the whole.
        """
        return self._once((kind, operator, bits, before), lambda: self._dram_load(kind, operator, bits, before))

    def _dram_load(self, kind: JobKind, operator: int, bits: int, before: int) -> Job:
        memory, buffers = self.accelerator.memory, self.accelerator.buffers
        weight = kind in (JobKind.DRAM_LOAD_WEIGHT, JobKind.DRAM_LOAD_PARAMETER)
        place, accesses = (WEIGHT, buffers.weight.accesses) if weight else (ACTIVATION, buffers.activation.accesses)
        cycles, moved, written = (
            amount(before + bits) - amount(before)
            for amount in (memory.transfer_cycles, memory.transfer_bits, accesses)
        )
        counts = (Action("dram_channels.0", "read_bits"), moved), (Action(place, "write"), written)
        return self._dram(kind, operator, cycles, tuple(entry for entry in counts if entry[1]))

    def dram_store(self, kind: JobKind, operator: int, bits: int) -> Job:
        """`bits` from the activation buffer to DRAM."""
        return self._once((kind, operator, bits), lambda: self._dram_store(kind, operator, bits))

    def _dram_store(self, kind: JobKind, operator: int, bits: int) -> Job:
        memory = self.accelerator.memory
        moved = (Action("dram_channels.0", "write_bits"), memory.transfer_bits(bits))
        actions = (moved, *self._accesses((ACTIVATION, "read", bits)))
        return self._dram(kind, operator, memory.transfer_cycles(bits), actions)

    def partial_store(self, operator: int, bits: int) -> Job:
        """Sums that are not complete, from the accumulator buffer to DRAM."""
        memory = self.accelerator.memory
        moved = (Action("dram_channels.0", "write_bits"), memory.transfer_bits(bits))
        actions = (moved, *self._accesses((ACCUMULATOR, "read", bits)))
        return self._dram(JobKind.DRAM_STORE_PARTIAL, operator, memory.transfer_cycles(bits), actions)

    def partial_load(self, operator: int, bits: int) -> Job:
        """Sums that are not complete, from DRAM back into the accumulator buffer."""
        memory = self.accelerator.memory
        moved = (Action("dram_channels.0", "read_bits"), memory.transfer_bits(bits))
        actions = (moved, *self._accesses((ACCUMULATOR, "write", bits)))
        return self._dram(JobKind.DRAM_LOAD_PARTIAL, operator, memory.transfer_cycles(bits), actions)

    def _dram(self, kind: JobKind, operator: int, cycles: int, actions: Actions) -> Job:
        latency = self.accelerator.memory.latency_cycles
        return self._priced(Job(DRAM, kind, cycles, latency, operator=operator, actions=actions))

    def _once(self, question: tuple[object, ...], make: Callable[[], Job]) -> Job:
        """The job that answers a question, made when it is first asked."""
        if question not in self.made:
            self.made[question] = make()
        return self.made[question]

    def _priced(self, job: Job) -> Job:
        """The job, or what is left of it where it is free: its place and its waits."""
        if (job.operator, job.kind) not in self.free:
            return job
        return replace(job, occupancy_cycles=0, latency_cycles=0, actions=())

    def array_load(self, operator: int, group: int, depth: int, tile_bits: int, place: str) -> Job:
        """One fold's stationary tile, `depth` values of K, `tile_bits` in all, from buffer `place` into the array."""
        array = self.model
        rows = array.rows if array.weight_load_rows is WeightLoadRows.ALL else min(depth, array.rows)
        return Job(
            self.units.port,
            JobKind.ARRAY_LOAD,
            rows * array.row_load_cycles,
            0,
            (load_waits(self.units)[array.weight_loading],),
            operator,
            group,
            actions=self._accesses((place, "read", tile_bits)),
        )

    def stream(
        self,
        operator: int,
        runs: Runs,
        size: tuple[int, int],
        first_fold: bool,
        products: tuple[Products, ...],
        place: str = ACTIVATION,
    ) -> Job:
        """The rows of `runs`, read from buffer `place`, through a fold of `size` (depth, width).

        The first fold of a column writes its sums, the others add to them.
        """
        array = self.model
        depth, width = size
        passes = useful = read_bits = rows = 0
        energy = []
        for run in runs:
            mode = run.mode
            assert mode is not None  # vector work never comes here
            each = mode.passes(depth, array.rows)
            active = run.rows * mode.active_rows(depth, array.rows) * width
            rows += run.rows
            passes += run.rows * each
            useful += active
            read_bits += run.rows * depth * mode.slots_per_value * run.stream_bits
            energy.append((Action(self._pe, mode.action), active))
        result_bits = width * array.accumulator_bits
        added = passes - rows if first_fold else passes
        moves = (
            (place, "read", read_bits),
            (ACCUMULATOR, "read", added * result_bits),
            (ACCUMULATOR, "write", passes * result_bits),
        )
        return Job(
            self.units.array,
            JobKind.STREAM,
            passes,
            array.rows + array.columns - 2,
            (loaded(self.units),),
            operator,
            runs[0].group if len(runs) == 1 else -1,
            rows * depth * width,
            useful,
            (*energy, *self._accesses(*moves)),
            products,
        )

    def output_stream(self, operator: int, run: Run, size: tuple[int, int], place: str = WEIGHT) -> Job:
        """`size` (depth, width): steps of K, and columns of the other operand (in `place`), for sums of the run's rows.

        A fold whose weights arrive in parts has several, one behind the other.
        """
        array, mode = self.model, run.mode
        assert mode is not None  # vector work never comes here
        depth, width = size
        macs = run.rows * depth * width
        moves = (
            (ACTIVATION, "read", run.rows * depth * run.stream_bits),
            (place, "read", depth * width * run.stationary_bits),
        )
        return Job(
            self.units.array,
            JobKind.STREAM,
            depth * array.row_load_cycles,
            array.rows + array.columns - 2,
            (output_waits(self.units)[array.weight_loading],),
            operator,
            run.group,
            macs,
            macs,
            ((Action(self._pe, mode.action), macs), *self._accesses(*moves)),
            products_of((run,), size),
        )

    def drain(self, operator: int, group: int, size: tuple[int, int], adds: bool = False) -> Job:
        """The sums of a fold of `size` (height, width) out of the array, right behind its last step.

        adds: they are added to those of earlier values of K.
        """
        array = self.model
        height, width = size
        bits = height * width * array.accumulator_bits
        return Job(
            self.units.results,
            JobKind.DRAIN,
            array.rows if array.weight_load_rows is WeightLoadRows.ALL else height,
            array.rows + array.columns - 2,
            (summed(self.units),),
            operator,
            group,
            actions=self._accesses((ACCUMULATOR, "read", bits if adds else 0), (ACCUMULATOR, "write", bits)),
        )

    def vector(self, work: VectorWork, elements: int) -> Job:
        """A part of a vector operator: so many elements of it, or scores to sort."""
        return self._once((id(work), elements), lambda: self._vector(work, elements))

    def _vector(self, work: VectorWork, elements: int) -> Job:
        cost = vector_cost(self.accelerator, work, elements)
        done = ((Action("vector_units.0", name), cost.count) for name in cost.actions)
        actions = (*done, *self._accesses(*cost.moves))
        job = Job(VECTOR, cost.kind, cost.cycles, cost.latency_cycles, operator=work.operator, actions=actions)
        return self._priced(job)


def products_of(rows: Runs, size: tuple[int, int]) -> tuple[Products, ...]:
    """What the rows of a GEMM multiply in a fold over `size` (depth, columns of N)."""
    depth, width = size
    found = []
    for run in rows:
        mode = run.mode
        assert mode is not None  # vector work never comes here
        found.append(
            Products(
                row_bits=run.stream_bits,
                other_bits=run.stationary_bits,
                window_bits=run.bits or run.stream_bits,
                mode_bits=(mode.stream_bits, mode.stationary_bits),
                per_pe_cycle=(mode.lanes, mode.slots_per_value),
                macs=run.rows * depth * width,
            )
        )
    return tuple(found)
