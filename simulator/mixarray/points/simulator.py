"""Many settings of one model on one accelerator: the totals that `simulate` gives, thousands per second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mixarray.accelerator.enums import Search
from mixarray.accelerator.model import Accelerator
from mixarray.cost.energy import check_energies, check_gating
from mixarray.cost.pe_time import stream_cycles
from mixarray.errors import InputError
from mixarray.mapping.schedule import Action, JobKind, dram_bits
from mixarray.mapping.units import unit_names
from mixarray.points.composing import MOST_PLANS, Composed, Composer, Machine, machine_of
from mixarray.points.counters import JOBS, MACS, USEFUL
from mixarray.points.network import Blocks, UncomposableError
from mixarray.points.pricing import Prices
from mixarray.simulation import simulate
from mixarray.trace.bops import bops
from mixarray.trace.model import Topology
from mixarray.trace.workload import Assignment, build_workload

CAPACITIES = {"buffers": {"activation": {"capacity_kib"}, "weight": {"capacity_kib"}}}
"""What composers look at for every point, unless a search does."""


@dataclass(frozen=True, slots=True)
class PointTotals:
    """One point, in the counters of `Execution` and the sums of `EnergyBreakdown`.

    bops: of the blocks, per weight bit. direct: why the point was simulated by itself; None: it was put together.
    """

    total_cycles: int
    jobs: int
    macs: int
    useful_pe_cycles: int
    busy_cycles: Mapping[tuple[int, JobKind], int]
    actions: Mapping[Action, int]
    energy_pj: float
    energy_low_pj: float
    energy_high_pj: float
    bops: int
    direct: str | None

    @property
    def dram_read_bits(self) -> int:
        """Bits read from DRAM, whole bursts."""
        return dram_bits(self.actions.items(), "read_bits")

    @property
    def dram_write_bits(self) -> int:
        """Bits written to DRAM, whole bursts."""
        return dram_bits(self.actions.items(), "write_bits")


class Network:
    """A model at one input size: what all of its points share.

    window_rows is window_size**2; name is that of the workloads in messages.
    """

    def __init__(self, topology: Topology, window_rows: int, name: str = "counts only") -> None:
        self._blocks = Blocks(topology, window_rows, name)
        self._composers: dict[str, Composer] = {}

    def on(self, accelerator: Accelerator) -> PointSimulator:
        """The points of this network on an accelerator.

        Accelerators that differ only in prices, or in capacities of operand buffers, share what was mapped; the last
        different ones are remembered, as long as they have no more plans than one may have. Raises InputError where the
        energy table lacks something, and for zero gating, which needs recorded codes.
        """
        check_energies(accelerator)
        check_gating(accelerator, counted=False)
        machine, fixed = machine_of(accelerator), accelerator.mapping.search is Search.FIXED
        key = machine.bare.model_dump_json(exclude=CAPACITIES if fixed else None)
        composer = self._composers.pop(key, None) or Composer(self._blocks, machine.bare)
        self._composers[key] = composer
        while sum(one.plans.count for one in self._composers.values()) > MOST_PLANS and len(self._composers) > 1:
            del self._composers[next(iter(self._composers))]
        return PointSimulator(self._blocks, composer, machine)


class PointSimulator:
    """The points of one network on one accelerator."""

    def __init__(self, blocks: Blocks, composer: Composer, machine: Machine) -> None:
        self.accelerator = accelerator = machine.whole
        self._blocks, self._composer, self._machine = blocks, composer, machine
        self._prices, self._units = Prices(accelerator), unit_names(len(accelerator.arrays))

    def totals(self, assignment: Assignment) -> PointTotals:
        """One point: (stage, block) -> its window counts, highest bits first, as `build_workload` takes them.

        Equal to a simulation of that workload in every counter. Raises InputError where that does.
        """
        try:
            composed = self._composer.run(assignment, self._machine)
        except UncomposableError as error:
            return self._direct(assignment, str(error))
        except InputError as error:  # a search may refuse parts that the whole does without: the direct run decides
            return self._direct(assignment, str(error))
        return self._totals(composed)

    @property
    def known_groups(self) -> int:
        """Groups of chains that have been lowered, and are remembered."""
        return len(self._composer.steps.every)

    def _totals(self, composed: Composed) -> PointTotals:
        row, counters = composed.row.tolist(), composed.counters
        busy = {lane: row[column + 1] for lane, column in counters.lanes.items() if row[column]}
        actions = {action: row[column + 1] for action, column in counters.actions.items() if row[column]}
        spent = self._prices.energy_pj(actions, composed.total_cycles, stream_cycles(self._units, busy))
        return PointTotals(
            total_cycles=composed.total_cycles,
            jobs=row[JOBS],
            macs=row[MACS],
            useful_pe_cycles=row[USEFUL],
            busy_cycles=busy,
            actions=actions,
            energy_pj=spent.value,
            energy_low_pj=spent.low,
            energy_high_pj=spent.high,
            bops=composed.bops,
            direct=None,
        )

    def _direct(self, assignment: Assignment, reason: str) -> PointTotals:
        blocks = self._blocks
        workload = build_workload(blocks.name, blocks.topology, assignment, blocks.window_rows)
        run = simulate(workload, self.accelerator)
        counted = run.execution
        return PointTotals(
            total_cycles=counted.total_cycles,
            jobs=counted.jobs,
            macs=counted.macs,
            useful_pe_cycles=counted.useful_pe_cycles,
            busy_cycles=counted.busy_cycles,
            actions=counted.actions,
            energy_pj=run.energy.total_pj,
            energy_low_pj=run.energy.low_pj,
            energy_high_pj=run.energy.high_pj,
            bops=bops(workload),
            direct=reason,
        )
