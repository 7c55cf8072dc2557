"""Jobs with their durations and actions: what each step costs on this accelerator.

Jobs of an array carry the dependencies of their fold (load and stream, or stream and drain, following each other in
the Schedule) and of the array's registers; whatever else binds them is added where they are put in order.
Accesses are counted in words of the port's width, rounded up per job; 4-bit codes take 4 bits everywhere. A PE-cycle
is active where a PE multiplies values that exist: idle ones follow from the total and are added by the cost model.
"""

from __future__ import annotations

from dataclasses import dataclass

from mixarray.accelerator.enums import WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Accelerator
from mixarray.mapping.schedule import Action, Event, Job, JobKind, Products, Recent
from mixarray.mapping.tiles import Run, Runs
from mixarray.trace.model import OperatorKind

ARRAY, PORT, VECTOR, DRAM, RESULTS = range(5)
UNITS = ("arrays.0", "arrays.0.weight_port", "vector_units.0", "dram_channels.0", "arrays.0.result_port")

ACTIVATION, WEIGHT, ACCUMULATOR = "buffers.activation", "buffers.weight", "buffers.accumulator"

# design 5: load i starts at max(issued of load i-1, d)
LOAD_WAITS = {
    WeightLoading.SERIAL: Recent(ARRAY, JobKind.STREAM, 1, Event.READY),
    WeightLoading.SINGLE: Recent(ARRAY, JobKind.STREAM, 1, Event.ISSUED),
    WeightLoading.DOUBLE: Recent(ARRAY, JobKind.STREAM, 2, Event.ISSUED),
}
# array/output.py: the next sums start when the last ones are out, all on their way, or in their second register
OUTPUT_WAITS = {
    WeightLoading.SERIAL: Recent(RESULTS, JobKind.DRAIN, 1, Event.READY),
    WeightLoading.SINGLE: Recent(RESULTS, JobKind.DRAIN, 1, Event.ISSUED),
    WeightLoading.DOUBLE: Recent(RESULTS, JobKind.DRAIN, 1, Event.STARTED),
}
LOADED = Recent(PORT, JobKind.ARRAY_LOAD, 1, Event.READY)
SUMMED = Recent(ARRAY, JobKind.STREAM, 1, Event.ISSUED)

Actions = tuple[tuple[Action, int], ...]


@dataclass(frozen=True, slots=True)
class Shop:
    """Makes jobs for one accelerator."""

    accelerator: Accelerator

    def _accesses(self, *moves: tuple[str, str, int]) -> Actions:
        """(buffer, read or write, bits) as counts of port-wide accesses."""
        buffers = self.accelerator.buffers
        places = {ACTIVATION: buffers.activation, WEIGHT: buffers.weight, ACCUMULATOR: buffers.accumulator}
        return tuple((Action(place, name), places[place].accesses(bits)) for place, name, bits in moves if bits)

    def dram_load(self, kind: JobKind, operator: int, bits: int, before: int = 0) -> Job:
        """`bits` from DRAM into the weight or the activation buffer, behind `before` bits of the same transfer.

        All parts of a transfer together take the cycles, the bursts and the accesses of the whole.
        """
        memory, buffers = self.accelerator.memory, self.accelerator.buffers
        weight = kind is JobKind.DRAM_LOAD_WEIGHT
        place, accesses = (WEIGHT, buffers.weight.accesses) if weight else (ACTIVATION, buffers.activation.accesses)
        cycles, moved, written = (
            amount(before + bits) - amount(before)
            for amount in (memory.transfer_cycles, memory.transfer_bits, accesses)
        )
        counts = (Action("dram_channels.0", "read_bits"), moved), (Action(place, "write"), written)
        return self._dram(kind, operator, cycles, tuple(entry for entry in counts if entry[1]))

    def dram_store(self, operator: int, bits: int) -> Job:
        """`bits` from the activation buffer to DRAM."""
        memory = self.accelerator.memory
        moved = (Action("dram_channels.0", "write_bits"), memory.transfer_bits(bits))
        actions = (moved, *self._accesses((ACTIVATION, "read", bits)))
        return self._dram(JobKind.DRAM_STORE, operator, memory.transfer_cycles(bits), actions)

    def _dram(self, kind: JobKind, operator: int, cycles: int, actions: Actions) -> Job:
        return Job(DRAM, kind, cycles, self.accelerator.memory.latency_cycles, operator=operator, actions=actions)

    def array_load(self, operator: int, group: int, depth: int, tile_bits: int, place: str) -> Job:
        """One fold's stationary tile, `depth` values of K, `tile_bits` in all, from buffer `place` into the array."""
        array = self.accelerator.arrays[0]
        rows = array.rows if array.weight_load_rows is WeightLoadRows.ALL else min(depth, array.rows)
        return Job(
            PORT,
            JobKind.ARRAY_LOAD,
            rows * array.row_load_cycles,
            0,
            (LOAD_WAITS[array.weight_loading],),
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
        array = self.accelerator.arrays[0]
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
            energy.append((Action("arrays.0", mode.action), active))
        result_bits = width * array.accumulator_bits
        added = passes - rows if first_fold else passes
        moves = (
            (place, "read", read_bits),
            (ACCUMULATOR, "read", added * result_bits),
            (ACCUMULATOR, "write", passes * result_bits),
        )
        return Job(
            ARRAY,
            JobKind.STREAM,
            passes,
            array.rows + array.columns - 2,
            (LOADED,),
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
        array, mode = self.accelerator.arrays[0], run.mode
        assert mode is not None  # vector work never comes here
        depth, width = size
        macs = run.rows * depth * width
        moves = (
            (ACTIVATION, "read", run.rows * depth * run.stream_bits),
            (place, "read", depth * width * run.stationary_bits),
        )
        return Job(
            ARRAY,
            JobKind.STREAM,
            depth * array.row_load_cycles,
            array.rows + array.columns - 2,
            (OUTPUT_WAITS[array.weight_loading],),
            operator,
            run.group,
            macs,
            macs,
            ((Action("arrays.0", mode.action), macs), *self._accesses(*moves)),
            products_of((run,), size),
        )

    def drain(self, operator: int, group: int, size: tuple[int, int]) -> Job:
        """The sums of a fold of `size` (height, width) out of the array, right behind its last step."""
        array = self.accelerator.arrays[0]
        height, width = size
        return Job(
            RESULTS,
            JobKind.DRAIN,
            array.rows if array.weight_load_rows is WeightLoadRows.ALL else height,
            array.rows + array.columns - 2,
            (SUMMED,),
            operator,
            group,
            actions=self._accesses((ACCUMULATOR, "write", height * width * array.accumulator_bits)),
        )

    def vector(self, operator: int, kind: OperatorKind, elements: int, moves: tuple[tuple[str, str, int], ...]) -> Job:
        """`elements` of a vector operator; `moves` are its (buffer, read or write, bits)."""
        unit = self.accelerator.vector_units[0]
        done = (Action("vector_units.0", f"{kind.value}_element"), elements)
        return Job(
            VECTOR,
            JobKind(kind.value),
            unit.cycles(kind, elements),
            unit.latency_cycles,
            operator=operator,
            actions=(done, *self._accesses(*moves)),
        )


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
