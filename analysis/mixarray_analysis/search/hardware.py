"""What a setting costs, from the sizes of its groups alone: no model runs, no window is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from mixarray.accelerator.enums import ZeroGating
from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.simulation import simulate
from mixarray.trace.bops import bops
from mixarray.trace.model import Topology
from mixarray.trace.workload import WindowCount, Workload, build_workload
from mixarray_analysis.parallel import run_tasks
from mixarray_analysis.progress import Report
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.record.shape import MapGrid

PJ_PER_UJ = 1e6
KHZ_PER_MHZ = 1000
Groups = tuple[tuple[int, int, int], ...]
"""(high, low, pruned) windows of every block in order: what ratios come to on whole windows."""


class Objective(StrEnum):
    """What is made small beside a large accuracy.

    bops: of the blocks, as published (linear in the activation bits). cycles, energy, edp (energy times delay): of the
    whole network, simulated.
    """

    BOPS = "bops"
    CYCLES = "cycles"
    ENERGY = "energy"
    EDP = "edp"


@dataclass(frozen=True, slots=True)
class Cost:
    """One inference on one accelerator; `bops` are bit operations per weight bit of the blocks."""

    bops: int
    cycles: int
    latency_ms: float
    energy_uj: float

    @property
    def edp_uj_ms(self) -> float:
        """Energy times delay."""
        return self.energy_uj * self.latency_ms

    def of(self, objective: Objective) -> float:
        """The number that a search makes small."""
        values: Mapping[Objective, float] = {
            Objective.BOPS: self.bops,
            Objective.CYCLES: self.cycles,
            Objective.ENERGY: self.energy_uj,
            Objective.EDP: self.edp_uj_ms,
        }
        return values[objective]


@dataclass(frozen=True, slots=True)
class Machine:
    """A model's work at one input size, and what runs it.

    grids: the windows of every (stage, block). branch_bits: activation bits of the high and the low branch.
    """

    topology: Topology
    grids: Mapping[tuple[int, int], MapGrid]
    branch_bits: tuple[int, int]
    accelerator: Accelerator

    def __post_init__(self) -> None:
        if self.accelerator.zero_gating is not ZeroGating.NONE:
            message = "is gated by zeros of recorded codes; a search knows group sizes only"
            raise InputError(self.accelerator.name, message, "zero_gating")
        for (stage, block), grid in self.grids.items():
            if grid.windows * grid.window**2 != grid.tokens:
                message = f"pads the windows of stage {stage} block {block} ({grid.height}x{grid.width} tokens), so the"
                raise InputError("--size", f"{message} number of real tokens depends on which windows run low")

    def groups(self, ratios: Ratios) -> Groups:
        """The group sizes of every block, (stage, block) ascending."""
        return tuple(ratios.sizes(*place, grid.windows) for place, grid in sorted(self.grids.items()))

    def workload(self, groups: Groups) -> Workload:
        """The work of these group sizes."""
        assignment: dict[tuple[int, int], tuple[WindowCount, ...]] = {}
        rows = next(iter(self.grids.values())).window ** 2
        for place, (high, low, pruned) in zip(sorted(self.grids), groups, strict=True):
            sizes = zip((*self.branch_bits, 0), (high, low, pruned), strict=True)
            assignment[place] = tuple(WindowCount(bits, count, count * rows) for bits, count in sizes if count)
        return build_workload("counts only", self.topology, assignment, rows)


def shares(groups: Groups) -> tuple[float, float]:
    """Shares of low and of pruned windows among the windows of all blocks."""
    every = sum(sum(sizes) for sizes in groups)
    return sum(low for _, low, _ in groups) / every, sum(pruned for _, _, pruned in groups) / every


def simulate_cost(machine: Machine, groups: Groups) -> Cost:
    """Simulate one setting; InputError where the accelerator cannot run it."""
    workload = machine.workload(groups)
    run = simulate(workload, machine.accelerator)
    cycles = run.execution.total_cycles
    return Cost(bops(workload), cycles, latency_ms(machine, cycles), run.energy.total_pj / PJ_PER_UJ)


def latency_ms(machine: Machine, cycles: int) -> float:
    """Cycles at the accelerator's clock."""
    return cycles / (machine.accelerator.clock_mhz * KHZ_PER_MHZ)


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs on one machine; equal group sizes are simulated once. jobs: processes that simulate side by side."""

    machine: Machine
    jobs: int = 1
    known: dict[Groups, Cost] = field(default_factory=dict)

    def of(self, ratios: Ratios) -> Cost:
        """The cost of ratios, from memory where their group sizes were simulated before."""
        return self.of_all([ratios], lambda done, total: None)[0]

    def of_all(self, settings: Sequence[Ratios], report: Report) -> list[Cost]:
        """The costs of settings, in their order; `report(done, all)` is called after each simulation."""
        groups = [self.machine.groups(ratios) for ratios in settings]
        new = list(dict.fromkeys(one for one in groups if one not in self.known))
        found = run_tasks(partial(simulate_cost, self.machine), new, self.jobs, report)
        self.known.update(zip(new, found, strict=True))
        return [self.known[one] for one in groups]

    def minimised(self, settings: Sequence[Ratios], objective: Objective, report: Report) -> list[float]:
        """What a search makes small; bit operations are counted, not simulated."""
        if objective is Objective.BOPS:
            return [bops(self.machine.workload(self.machine.groups(ratios))) for ratios in settings]
        return [cost.of(objective) for cost in self.of_all(settings, report)]
