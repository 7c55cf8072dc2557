"""Jobs with their durations and actions, without dependencies: what each step costs on this accelerator.

Accesses are counted in words of the port's width, rounded up per job; 4-bit codes take 4 bits everywhere. A PE-cycle
is active where a PE multiplies values that exist: idle ones follow from the total and are added by the cost model.
"""

from __future__ import annotations

from dataclasses import dataclass

from mixarray.accelerator.enums import WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Accelerator
from mixarray.mapping.schedule import Action, Event, Job, JobKind, Recent
from mixarray.mapping.tiles import Runs
from mixarray.trace.model import OperatorKind

ARRAY, PORT, VECTOR, DRAM = range(4)
UNITS = ("arrays.0", "arrays.0.weight_port", "vector_units.0", "dram_channels.0")

ACTIVATION, WEIGHT, ACCUMULATOR = "buffers.activation", "buffers.weight", "buffers.accumulator"

# design 5: load i starts at max(issued of load i-1, d)
LOAD_WAITS = {
    WeightLoading.SERIAL: Recent(ARRAY, JobKind.STREAM, 1, Event.READY),
    WeightLoading.SINGLE: Recent(ARRAY, JobKind.STREAM, 1, Event.ISSUED),
    WeightLoading.DOUBLE: Recent(ARRAY, JobKind.STREAM, 2, Event.ISSUED),
}

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

    def dram_load(self, kind: JobKind, operator: int, bits: int) -> Job:
        """`bits` from DRAM into the weight or the activation buffer."""
        channel = self.accelerator.dram_channels[0]
        place = WEIGHT if kind is JobKind.DRAM_LOAD_WEIGHT else ACTIVATION
        moved = (Action("dram_channels.0", "read_bits"), channel.transfer_bits(bits))
        actions = (moved, *self._accesses((place, "write", bits)))
        return self._dram(kind, operator, bits, actions)

    def dram_store(self, operator: int, bits: int) -> Job:
        """`bits` from the activation buffer to DRAM."""
        channel = self.accelerator.dram_channels[0]
        moved = (Action("dram_channels.0", "write_bits"), channel.transfer_bits(bits))
        return self._dram(JobKind.DRAM_STORE, operator, bits, (moved, *self._accesses((ACTIVATION, "read", bits))))

    def _dram(self, kind: JobKind, operator: int, bits: int, actions: Actions) -> Job:
        channel = self.accelerator.dram_channels[0]
        return Job(
            DRAM, kind, channel.transfer_cycles(bits), channel.latency_cycles, operator=operator, actions=actions
        )

    def array_load(self, operator: int, group: int, size: tuple[int, int], bits: int, place: str) -> Job:
        """One fold's stationary tile of `size` (depth, width) values of `bits` from buffer `place` into the array."""
        array = self.accelerator.arrays[0]
        depth, width = size
        rows = array.rows if array.weight_load_rows is WeightLoadRows.ALL else min(depth, array.rows)
        return Job(
            PORT,
            JobKind.ARRAY_LOAD,
            rows * array.row_load_cycles,
            0,
            (LOAD_WAITS[array.weight_loading],),
            operator,
            group,
            actions=self._accesses((place, "read", depth * width * bits)),
        )

    def stream(self, operator: int, runs: Runs, size: tuple[int, int], first_fold: bool) -> Job:
        """The rows of `runs` through a fold of `size` (depth, width); the first fold of a column writes, others add."""
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
            (ACTIVATION, "read", read_bits),
            (ACCUMULATOR, "read", added * result_bits),
            (ACCUMULATOR, "write", passes * result_bits),
        )
        return Job(
            ARRAY,
            JobKind.STREAM,
            passes,
            array.rows + array.columns - 2,
            (),
            operator,
            runs[0].group if len(runs) == 1 else -1,
            rows * depth * width,
            useful,
            (*energy, *self._accesses(*moves)),
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
