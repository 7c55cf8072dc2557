"""The report of MixA-Q's own work: read from the jobs that ran, conserved, zero where free, means over images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.cost.energy import action_energy
from mixarray.mapping.own_work import Item
from mixarray.mapping.schedule import JobKind, Schedule, Segment
from mixarray.result.own_work import OwnWorkEntry, own_work, spent_by_item
from mixarray.simulation import Simulation, simulate
from mixarray.trace.model import OperatorKind
from mixarray.trace.workload import WindowCount, Workload, build_workload
from mixarray_analysis.own_work_lines import own_work_lines
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import block_grids, build_topology

SMALL = SwinShape("small", channels=(32,), depths=(2,), heads=(1,))
KINDS = {
    Item.SORTER: (JobKind.SORT,),
    Item.MOVEMENT: (JobKind.GATHER, JobKind.SCATTER, JobKind.DRAM_STORE_COPY),
    Item.BRANCH_PARAMETERS: (JobKind.DRAM_LOAD_PARAMETER,),
}
FREE = {
    Item.SCORING: "mixed_precision.scoring=free",
    Item.SORTER: "mixed_precision.sorter=free",
    Item.MOVEMENT: "mixed_precision.movement=free",
    Item.BRANCH_PARAMETERS: "mixed_precision.branch_parameters=free",
}


def swin(high: int, low: int, pruned: int) -> Workload:
    """One stage of 16 windows in two blocks."""
    assignment = {}
    for place, grid in block_grids(SMALL, 112, 112).items():
        groups = ((8, high), (4, low), (0, pruned))
        assert high + low + pruned == grid.windows
        assignment[place] = tuple(WindowCount(bits, number, 49 * number) for bits, number in groups if number)
    return build_workload("small", build_topology(SMALL, 112, 112), assignment, 49)


def run(workload: Workload, *overrides: str, timeline: bool = True) -> Simulation:
    return simulate(workload, load_accelerator("packed_w4_32x32", overrides), timeline=timeline)


def entries(*simulations: tuple[Simulation, int]) -> dict[Item, OwnWorkEntry]:
    return {entry.item: entry for entry in own_work(simulations).items}


@pytest.fixture(scope="module")
def mixed() -> Simulation:
    return run(swin(8, 6, 2))


def test_counts_by_hand(mixed: Simulation) -> None:
    found = entries((mixed, 1))
    assert list(found) == list(Item)
    assert (found[Item.SCORING].count, found[Item.SCORING].unit) == (32, "window scores")  # two grids
    selections = 2 * 2 * 16 * 16  # two grids, two cuts (high, kept), 16 bits x 16 windows
    assert (found[Item.SORTER].count, found[Item.SORTER].setting) == (selections, "radix_select")
    assert (found[Item.MOVEMENT].count, found[Item.MOVEMENT].unit) == (2 * 2 * 14 * 49 * 32, "elements")
    sets = 2 * (2 * 2 * 32 * 16) + 2 * (3 * 32 + 32 + 128 + 32) * 64  # two norms and four layers in two blocks
    assert (found[Item.BRANCH_PARAMETERS].count, found[Item.BRANCH_PARAMETERS].unit) == (sets, "bits")
    assert (found[Item.PRUNED_WINDOWS].count, found[Item.PRUNED_WINDOWS].setting) == (2 * 2, "bypass")
    assert found[Item.MODE_SWITCHES].setting == "0 cycles"


def test_first_sets_by_hand_are_the_same_in_every_run(mixed: Simulation) -> None:
    """Patch embedding with its norm; in two blocks two norms and four layers: 640 C bits each."""
    bits = 64 * 32 + 2 * 16 * 32 + 2 * 640 * 32
    found = own_work([(mixed, 1)])
    assert found.first_set_bits == own_work([(run(swin(16, 0, 0)), 1), (mixed, 3)]).first_set_bits == bits
    (parameters,) = (entry for entry in found.items if entry.item is Item.BRANCH_PARAMETERS)
    assert parameters.count == 2 * 640 * 32  # one further set in both blocks, none outside


def test_cycles_and_energy_are_those_of_the_engine(mixed: Simulation) -> None:
    found, execution = entries((mixed, 1)), mixed.execution
    for item, kinds in KINDS.items():
        busy = sum(cycles for (_, kind), cycles in execution.busy_cycles.items() if kind in kinds)
        assert found[item].busy_cycles == busy > 0
        assert mixed.attribution is not None
        chain = sum(cycles for (_, _, kind), cycles in mixed.attribution.cycles.items() if kind in kinds)
        assert found[item].attributed_cycles == chain
    scoring = [
        counts
        for counts in execution.operators
        if mixed.workload.operators[counts.operator].operator.kind is OperatorKind.TOKEN_MAP
    ]
    assert found[Item.SCORING].busy_cycles >= sum(sum(counts.busy_cycles.values()) for counts in scoring) > 0
    pj = sum(entry.energy_pj or 0 for entry in found.values())
    assert 0 < pj < mixed.energy.total_pj


def test_remainders_are_those_of_every_gemm(mixed: Simulation) -> None:
    """Tiles across borders leave none; 392 + 294 rows in tiles of their own are 2 + 2 where 3 would be enough."""
    entry = entries((mixed, 1))[Item.REMAINDERS]
    assert (entry.count, entry.unit, entry.busy_cycles, entry.dram_bits) == (0, "folds", 0, 0)
    own = own_work([(run(swin(8, 6, 2), "mapping.border_tiles=own"), 1)])
    total = {entry.item: entry for entry in own.items}[Item.REMAINDERS]
    assert total.count == sum(one.folds for one in own.remainders) > 0
    assert total.busy_cycles == sum(one.cycles for one in own.remainders) == 32 * total.count
    assert (total.attributed_cycles, total.energy_pj) == (None, None)
    qkv = next(one for one in own.remainders if one.name == "stages.0.blocks.0.attn.qkv")
    assert (qkv.tiles, qkv.folds) == (1, 3)  # 96 columns are 3 folds, K = 32 is one


@pytest.mark.parametrize("border", ["shared", "own"])
def test_a_uniform_run_has_movement_and_switches_and_nothing_else(border: str) -> None:
    uniform = own_work([(run(swin(16, 0, 0), f"mapping.border_tiles={border}"), 1)])
    assert {entry.item for entry in uniform.items if entry.count} == {Item.MOVEMENT, Item.MODE_SWITCHES}
    assert all(entry.in_uniform_runs == bool(entry.count) for entry in uniform.items)
    assert uniform.remainders == ()


@pytest.mark.parametrize(("movement", "copies"), [("pass", 1), ("bursts", 0), ("free", 0)])
def test_gathered_copies_are_traffic_of_the_movement(movement: str, copies: int) -> None:
    small = "buffers.activation.capacity_kib=8", "dram_channels.0.burst_bits=1"
    entry = entries((run(swin(8, 8, 0), *small, f"mixed_precision.movement={movement}"), 1))[Item.MOVEMENT]
    assert entry.dram_bits == copies * 2 * 16 * 49 * 32 * 16  # two blocks, 16 windows of 49 x 32 values of 16 bits


@pytest.mark.parametrize("item", FREE)
def test_a_free_item_has_no_count_no_cycles_and_no_energy(item: Item, mixed: Simulation) -> None:
    charged, simulation = entries((mixed, 1)), run(swin(8, 6, 2), FREE[item])
    found = entries((simulation, 1))
    entry = found.pop(item)
    assert (entry.setting, entry.count, entry.busy_cycles, entry.attributed_cycles) == ("free", 0, 0, 0)
    assert (entry.energy_pj, entry.dram_bits) == (0, 0)
    for other, same in found.items():
        before = charged[other]
        assert (same.count, same.busy_cycles, same.energy_pj) == (before.count, before.busy_cycles, before.energy_pj)
    assert simulation.execution.total_cycles <= mixed.execution.total_cycles
    spent = sum(e.pj for e in action_energy(simulation.execution.actions, simulation.accelerator))
    before = sum(e.pj for e in action_energy(mixed.execution.actions, mixed.accelerator))
    assert before - spent == pytest.approx(charged[item].energy_pj)


def test_bursts_are_counted_instead_of_elements() -> None:
    simulation = run(swin(8, 8, 0), "mixed_precision.movement=bursts", "mixed_precision.burst_address_cycles=2")
    entry = entries((simulation, 1))[Item.MOVEMENT]
    assert entry.unit == "bursts"
    assert entry.busy_cycles == 2 * entry.count
    assert entry.count >= 2 * 2 * 16 * 7


def test_mode_switches_are_counted_job_by_job(mixed: Simulation) -> None:
    """Switches planted before the first job of every segment."""
    jobs = [segment.body[0] for segment in mixed.schedule.segments]
    switches = [replace(job, unit=0, kind=JobKind.MODE_SWITCH, occupancy_cycles=3, actions=()) for job in jobs]
    segments = tuple(
        Segment((switch, *segment.body), segment.repeat)
        for switch, segment in zip(switches, mixed.schedule.segments, strict=True)
    )
    planted = replace(mixed, schedule=Schedule(mixed.schedule.units, segments))
    spent, before = spent_by_item(planted)[Item.MODE_SWITCHES], spent_by_item(mixed)[Item.MODE_SWITCHES]
    more = sum(segment.repeat for segment in mixed.schedule.segments)
    assert (spent.jobs - before.jobs, spent.busy_cycles - before.busy_cycles) == (more, 3 * more)


def test_means_over_images_and_no_chain_without_a_timeline(mixed: Simulation) -> None:
    other = run(swin(10, 4, 2), timeline=False)
    one, two, both = entries((mixed, 1)), entries((other, 1)), entries((mixed, 1), (other, 3))
    for item in Item:
        assert both[item].count == pytest.approx((one[item].count + 3 * two[item].count) / 4)
    assert both[Item.MOVEMENT].attributed_cycles is None
    busy = one[Item.MOVEMENT].busy_cycles, two[Item.MOVEMENT].busy_cycles
    assert both[Item.MOVEMENT].busy_cycles == pytest.approx((busy[0] + 3 * busy[1]) / 4)


def test_lines_only_where_windows_differ(mixed: Simulation) -> None:
    lines = own_work_lines(own_work([(mixed, 1)]))
    assert len(lines) == 1 + sum(bool(entry.count) for entry in entries((mixed, 1)).values())
    assert "1,024 comparisons" in "\n".join(lines)
    marked = {line.split(",")[0].strip() for line in lines[1:] if "*" in line}
    assert marked == {"movement*", "mode switches*"}
    uniform = own_work([(run(swin(16, 0, 0)), 1)])
    assert not uniform.mixed_windows
    assert own_work_lines(uniform) == []
    kept = own_work([(run(swin(12, 0, 4)), 1)])
    assert kept.mixed_windows
