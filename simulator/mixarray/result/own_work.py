"""The work around windows of several precisions, item by item: how it is set, how much there was, what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum

from pydantic import BaseModel, ConfigDict, Field

from mixarray.accelerator.enums import Movement
from mixarray.accelerator.model import Accelerator
from mixarray.cost.energy import action_energy
from mixarray.cost.unit_energy import ELEMENT
from mixarray.engine.event_counts import variants
from mixarray.mapping.own_work import BURST, COMPARE, Item, item_of, pruned_rows
from mixarray.mapping.parameters import first_set_bits
from mixarray.mapping.remainders import Remainder
from mixarray.mapping.schedule import Action, Job
from mixarray.result.remainders import RemainderEntry, remainder_entries, remainders_of
from mixarray.result.totals import Weighted, mean, plain
from mixarray.simulation import Simulation
from mixarray.trace.model import OperatorKind, RowsPer
from mixarray.trace.workload import Workload

IN_UNIFORM_RUNS = frozenset({Item.MOVEMENT, Item.MODE_SWITCHES})


class OwnWorkEntry(BaseModel):
    """One item, mean per image: how much there was in this run, not how much more than in a uniform one.

    What is charged for jobs of its own has no count, no cycles, no traffic and no energy where it is free. Mode
    switches are counted at any price, 0 cycles too, and pruned windows whether they are copied or bypassed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: Item
    setting: str = Field(description="what the accelerator says")
    count: int | float
    unit: str = Field(description="what is counted")
    busy_cycles: int | float | None = Field(
        description="cycles that its jobs took on their units; null: no jobs of its own"
    )
    attributed_cycles: int | float | None = Field(
        description="cycles of the critical chain that belong to it; null: no jobs of its own, or no timeline was kept"
    )
    dram_bits: int | float | None = Field(
        description="bits that it moved to and from DRAM, whole bursts; null: no jobs of its own"
    )
    energy_pj: float | None = Field(description="energy of its actions; null: they are counted elsewhere")
    in_uniform_runs: bool = Field(
        description="whether a run of uniform windows has this work as well: it moves its windows, and its array "
        "changes modes between its products; of the other items such a run has nothing"
    )


class OwnWork(BaseModel):
    """The work around windows of several precisions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mixed_windows: bool = Field(description="whether windows of more than one precision ran, pruned ones included")
    items: tuple[OwnWorkEntry, ...]
    remainders: tuple[RemainderEntry, ...] = Field(description="the item of this name, GEMM by GEMM")
    first_set_bits: int | float = Field(
        description="LayerNorm parameters, scales and biases of every operator's first or only set: every run needs "
        "them, none loads them; no part of cycles, traffic or energy"
    )


@dataclass(slots=True)
class Spent:
    """What the jobs of one item did."""

    jobs: int = 0
    busy_cycles: int = 0
    actions: Counter[Action] = field(default_factory=Counter)

    def add(self, job: Job, times: int) -> None:
        """A job that runs so many times."""
        self.jobs += times
        self.busy_cycles += job.occupancy_cycles * times
        for action, count in job.actions:
            self.actions[action] += count * times

    def done(self, name: str) -> int:
        """Actions of this name, on any component."""
        return sum(count for action, count in self.actions.items() if action.name == name)


@dataclass(frozen=True, slots=True)
class Measured:
    """One item of one simulation; None as in `OwnWorkEntry`."""

    count: int
    busy_cycles: int | None = None
    attributed_cycles: int | None = None
    dram_bits: int | None = None
    energy_pj: float | None = None


def own_work(simulations: Weighted) -> OwnWork:
    """Every item of simulations on one accelerator; means over their images."""
    accelerator = simulations[0][0].accelerator
    ended = [(remainders_of(simulation), images) for simulation, images in simulations]
    measured = [
        (measure(simulation, found), images)
        for (simulation, images), (found, _) in zip(simulations, ended, strict=True)
    ]
    items = (_entry(item, accelerator, [(found[item], images) for found, images in measured]) for item in Item)
    mixed = any(_has_mixed_windows(simulation.workload) for simulation, _ in simulations)
    first = mean((first_set_bits(simulation.workload), images) for simulation, images in simulations)
    return OwnWork(
        mixed_windows=mixed,
        items=tuple(items),
        remainders=remainder_entries(simulations, ended),
        first_set_bits=plain(first),
    )


def _has_mixed_windows(workload: Workload) -> bool:
    return any(len(grouped.groups) > 1 or pruned_rows(grouped) for grouped in workload.operators)


def measure(simulation: Simulation, ended: Sequence[Remainder]) -> Mapping[Item, Measured]:
    """Every item of one simulation, read from the jobs that ran; `ended` are its remainders."""
    attributed = _attributed(simulation)
    found: dict[Item, Measured] = {}
    for item, spent in spent_by_item(simulation).items():
        cycles = None if attributed is None else attributed[item]
        pj = fsum(entry.pj for entry in action_energy(spent.actions, simulation.accelerator))
        bits = spent.done("read_bits") + spent.done("write_bits")
        found[item] = Measured(_count(item, spent, simulation), spent.busy_cycles, cycles, bits, pj)
    remainders = Measured(
        count=sum(one.folds for one in ended),
        busy_cycles=sum(one.cycles for one in ended),
        dram_bits=sum(one.weight_bits for one in ended),
    )
    pruned = Measured(_pruned_windows(simulation.workload))
    return found | {Item.PRUNED_WINDOWS: pruned, Item.REMAINDERS: remainders}


def spent_by_item(simulation: Simulation) -> Mapping[Item, Spent]:
    """The jobs of a Schedule by item; those that belong to none are left out."""
    kinds = _kinds(simulation)
    found = {item: Spent() for item in Item}
    for segment in simulation.schedule.segments:
        for jobs, times in variants(segment):
            for job in jobs:
                item = item_of(job.kind, kinds.get(job.operator))
                if item is not None:
                    found[item].add(job, times)
    return found


def _kinds(simulation: Simulation) -> Mapping[int, OperatorKind]:
    return {number: grouped.operator.kind for number, grouped in enumerate(simulation.workload.operators)}


def _attributed(simulation: Simulation) -> Counter[Item] | None:
    if simulation.attribution is None:
        return None
    kinds = _kinds(simulation)
    found: Counter[Item] = Counter()
    for (operator, _, kind), cycles in simulation.attribution.cycles.items():
        item = item_of(kind, kinds.get(operator))
        if item is not None:
            found[item] += cycles
    return found


def _count(item: Item, spent: Spent, simulation: Simulation) -> int:
    match item:
        case Item.SCORING:
            return _windows_ranked(simulation.workload) if spent.done(f"{OperatorKind.RANK.value}{ELEMENT}") else 0
        case Item.SORTER:
            return spent.done(COMPARE)
        case Item.MOVEMENT:
            kinds = OperatorKind.GATHER, OperatorKind.SCATTER
            return spent.done(BURST) + sum(spent.done(f"{kind.value}{ELEMENT}") for kind in kinds)
        case Item.BRANCH_PARAMETERS:
            return spent.done("read_bits")
        case _:
            return spent.jobs


def _windows_ranked(workload: Workload) -> int:
    """Scores of all rankings: one for each window of each grid of each stage that ranks."""
    ranks = (grouped.operator for grouped in workload.operators if grouped.operator.kind is OperatorKind.RANK)
    return sum(op.batch * op.m for op in ranks)


def _pruned_windows(workload: Workload) -> int:
    """Windows without rows, counted once in each block: at its first GEMM that has rows for whole windows."""
    found: dict[tuple[int, int], int] = {}
    for grouped in workload.operators:
        op = grouped.operator
        if op.kind is OperatorKind.GEMM and op.batch == 1 and op.rows_per is RowsPer.WINDOW:
            found.setdefault((op.stage, op.block), pruned_rows(grouped) // workload.window_rows)
    return sum(found.values())


def _entry(item: Item, accelerator: Accelerator, measured: Sequence[tuple[Measured, int]]) -> OwnWorkEntry:
    setting, unit = _setting(item, accelerator)
    energies = [one.energy_pj * number for one, number in measured if one.energy_pj is not None]
    images = sum(number for _, number in measured)
    return OwnWorkEntry(
        item=item,
        setting=setting,
        count=plain(mean((one.count, number) for one, number in measured)),
        unit=unit,
        busy_cycles=_mean([(one.busy_cycles, number) for one, number in measured]),
        attributed_cycles=_mean([(one.attributed_cycles, number) for one, number in measured]),
        dram_bits=_mean([(one.dram_bits, number) for one, number in measured]),
        energy_pj=fsum(energies) / images if len(energies) == len(measured) else None,
        in_uniform_runs=item in IN_UNIFORM_RUNS,
    )


def _mean(values: Sequence[tuple[int | None, int]]) -> int | float | None:
    known = [(value, number) for value, number in values if value is not None]
    return plain(mean(known)) if len(known) == len(values) else None


def _setting(item: Item, accelerator: Accelerator) -> tuple[str, str]:
    """What the accelerator says about an item, and what is counted of it."""
    mixed = accelerator.mixed_precision
    known = {
        Item.SCORING: (mixed.scoring.value, "window scores"),
        Item.SORTER: (mixed.sorter, "comparisons"),
        Item.MOVEMENT: (mixed.movement.value, "bursts" if mixed.movement is Movement.BURSTS else "elements"),
        Item.MODE_SWITCHES: (f"{mixed.mode_switch_cycles} cycles", "switches"),
        Item.BRANCH_PARAMETERS: (mixed.branch_parameters.value, "bits"),
        Item.PRUNED_WINDOWS: (mixed.pruned_windows.value, "windows"),
        Item.REMAINDERS: (f"{accelerator.mapping.border_tiles.value} border tiles", "folds"),
    }
    return known[item]
