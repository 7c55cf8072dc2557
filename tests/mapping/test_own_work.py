"""MixA-Q's own work as jobs: every item can be made free, and then its own part vanishes and nothing else changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mixarray.engine.event import run_event
from mixarray.engine.event_counts import variants
from mixarray.mapping.build import build_schedule
from mixarray.mapping.own_work import Item, free_jobs, item_of
from mixarray.mapping.schedule import Action, Job, JobKind, Recent, Schedule
from mixarray.mapping.transfers import Transfers
from mixarray.mapping.units import DRAM, VECTOR
from mixarray.trace.model import Operand, OperatorKind, Role
from mixarray.trace.workload import WindowCount, Workload, build_workload
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import block_grids, build_topology

SMALL = SwinShape("small", channels=(32, 64), depths=(2, 2), heads=(1, 2))
READ = Action("dram_channels.0", "read_bits")
FREE = {
    Item.SCORING: "mixed_precision.scoring=free",
    Item.SORTER: "mixed_precision.sorter=free",
    Item.MOVEMENT: "mixed_precision.movement=free",
    Item.BRANCH_PARAMETERS: "mixed_precision.branch_parameters=free",
}


def swin(*shares: tuple[int, float]) -> Workload:
    """A small Swin of 112x112 px; `shares`: (bits, share of the windows), 0 bits: pruned."""
    assignment = {}
    for place, grid in block_grids(SMALL, 112, 112).items():
        tokens, counts, start = grid.window_tokens(), [], 0
        for bits, share in shares:
            end = start + round(share * grid.windows)
            counts.append(WindowCount(bits, end - start, sum(tokens[start:end])))
            start = end
        assert start == grid.windows
        assignment[place] = tuple(count for count in counts if count.windows)
    return build_workload("small", build_topology(SMALL, 112, 112), assignment, 49)


MIXED = swin((8, 0.5), (4, 0.5))
PRUNED = swin((8, 0.5), (4, 0.25), (0, 0.25))


def in_order(schedule: Schedule) -> list[Job]:
    """Every job that runs."""
    return [job for s in schedule.segments for iteration in range(s.repeat) for job in s.jobs(iteration)]


def bare(job: Job) -> Job:
    return replace(job, dependencies=())


def wrongly_freed(charged: Schedule, freed: Schedule, item: Item, workload: Workload) -> list[str]:
    """What says that freeing `item` did not make exactly its own part vanish."""
    kinds = {number: grouped.operator.kind for number, grouped in enumerate(workload.operators)}
    before, after = in_order(charged), in_order(freed)
    if len(before) != len(after):
        return ["another number of jobs"]
    wrong = []
    for old, new in zip(before, after, strict=True):
        own = item_of(old.kind, kinds.get(old.operator)) is item
        expected = replace(old, occupancy_cycles=0, latency_cycles=0, actions=()) if own else old
        if bare(new) != bare(expected):
            wrong.append(f"{old.kind} of operator {old.operator}")
    return wrong


@pytest.mark.parametrize("item", FREE)
@pytest.mark.parametrize("memory", [(), ("dram_channels.0.bits_per_cycle=8", "buffers.activation.capacity_kib=16")])
def test_freeing_an_item_makes_its_own_part_vanish_and_nothing_else(item, memory, machine):
    charged = build_schedule(MIXED, machine("packed", *memory))
    freed = build_schedule(MIXED, machine("packed", *memory, FREE[item]))
    assert wrongly_freed(charged, freed, item, MIXED) == []
    own = [job for job in in_order(charged) if item_of(job.kind, MIXED.operators[job.operator].operator.kind) is item]
    assert sum(job.occupancy_cycles for job in own) > 0
    runs = [run_event(schedule, len(MIXED.operators)).total_cycles for schedule in (charged, freed)]
    assert runs[1] <= runs[0]


def test_the_check_of_free_items_notices_planted_faults(machine):
    charged = build_schedule(MIXED, machine("packed"))
    both = build_schedule(MIXED, machine("packed", FREE[Item.SORTER], FREE[Item.MOVEMENT]))
    assert "gather of operator" in " ".join(wrongly_freed(charged, both, Item.SORTER, MIXED))
    assert "sort of operator" in " ".join(wrongly_freed(charged, charged, Item.SORTER, MIXED))
    bursts = build_schedule(MIXED, machine("packed", "mixed_precision.movement=bursts"))
    assert wrongly_freed(charged, bursts, Item.MOVEMENT, MIXED)


def test_nothing_is_free_where_everything_is_charged(machine):
    assert free_jobs([], machine("packed").mixed_precision) == frozenset()


@pytest.mark.parametrize("address_cycles", [0, 1, 3])
def test_bursts_are_one_address_for_each_row_of_a_window(address_cycles, machine):
    choice = "mixed_precision.movement=bursts", f"mixed_precision.burst_address_cycles={address_cycles}"
    passes, bursts = (in_order(build_schedule(MIXED, machine("packed", *over))) for over in ((), choice))
    assert len(passes) == len(bursts)
    for old, new in zip(passes, bursts, strict=True):
        if old.kind not in (JobKind.GATHER, JobKind.SCATTER) or old.unit != VECTOR:
            assert bare(new) == bare(old)
            continue
        elements = dict(old.actions)[Action("vector_units.0", f"{old.kind}_element")]
        count = -(-elements // (7 * MIXED.operators[old.operator].operator.n))
        assert new.actions == ((Action("vector_units.0", "burst"), count),)
        assert new.occupancy_cycles == count * address_cycles


def parameter_loads(workload: Workload, accelerator) -> dict[int, int]:
    found: Counter[int] = Counter()
    for segment in build_schedule(workload, accelerator).segments:
        for jobs, times in variants(segment):
            for job in jobs:
                if job.kind is JobKind.DRAM_LOAD_PARAMETER:
                    assert job.unit == DRAM
                    assert {action.component for action, _ in job.actions} == {"dram_channels.0", "buffers.weight"}
                    found[job.operator] += dict(job.actions)[READ] * times
    return dict(found)


def test_every_further_group_loads_a_set_of_parameters_or_of_scales_and_biases(machine):
    expected = {}
    for number, grouped in enumerate(MIXED.operators):
        op, further = grouped.operator, len(grouped.groups) - 1
        stationary = {entry.tensor for entry in op.inputs if entry.operand is Operand.STATIONARY}
        weights = any(t.role is Role.WEIGHT for (index, _), t in MIXED.tensors.items() if index in stationary)
        if further > 0 and (op.kind is OperatorKind.LAYERNORM or weights):
            expected[number] = further * (2 * 16 if op.kind is OperatorKind.LAYERNORM else 32 + 32) * op.n
    accelerator = machine("packed", "dram_channels.0.burst_bits=1")
    assert len(expected) == 4 * 6  # two norms and four linear layers in each block
    assert parameter_loads(MIXED, accelerator) == expected


@pytest.mark.parametrize("bits", [8, 4])
def test_one_group_loads_no_second_set(bits, machine):
    assert parameter_loads(swin((bits, 1.0)), machine("packed")) == {}


def waits_for_parameters(schedule: Schedule) -> list[JobKind]:
    return [
        job.kind
        for job in in_order(schedule)
        for wait in job.dependencies
        if isinstance(wait, Recent) and wait.kind is JobKind.DRAM_LOAD_PARAMETER
    ]


def test_the_first_job_that_uses_parameters_waits_for_them(machine, monkeypatch):
    waiting = waits_for_parameters(build_schedule(MIXED, machine("packed")))
    assert len(waiting) == 4 * 6
    assert waiting.count(JobKind.LAYERNORM) == 4 * 2
    assert waiting.count(JobKind.GELU) == waiting.count(JobKind.REQUANTIZE) == 4
    monkeypatch.setattr(Transfers, "parameters_of", lambda self, work: [])
    assert waits_for_parameters(build_schedule(MIXED, machine("packed"))) == []


def vector_elements(workload: Workload, accelerator) -> tuple[dict[str, int], int]:
    """Elements by operator name, and MACs."""
    run = run_event(build_schedule(workload, accelerator), len(workload.operators))
    found = {}
    for grouped, counts in zip(workload.operators, run.operators, strict=True):
        action = Action("vector_units.0", f"{grouped.operator.kind}_element")
        found[grouped.operator.name] = counts.actions.get(action, 0)
    return found, run.macs


def test_copied_pruned_windows_are_gathered_and_scattered_and_nothing_else(machine):
    bypass, macs = vector_elements(PRUNED, machine("packed"))
    copy, same_macs = vector_elements(PRUNED, machine("packed", "mixed_precision.pruned_windows=copy"))
    assert macs == same_macs
    for grouped in PRUNED.operators:
        op = grouped.operator
        moves = op.kind in (OperatorKind.GATHER, OperatorKind.SCATTER)
        kept = sum(group.rows for group in grouped.groups)
        if moves:
            assert (bypass[op.name], copy[op.name]) == (kept * op.n, op.m * op.n)
            assert kept < op.m
        else:
            assert bypass[op.name] == copy[op.name]


@pytest.mark.parametrize(("choice", "share"), [("bypass", 0.75), ("copy", 1.0)])
def test_pruned_windows_that_are_bypassed_are_not_read_either(choice, share, machine):
    accelerator = machine(
        "packed", f"mixed_precision.pruned_windows={choice}", "dram_channels.0.burst_bits=1",
        "buffers.activation.capacity_kib=8",
    )  # fmt: skip
    run = run_event(build_schedule(PRUNED, accelerator), len(PRUNED.operators))
    number = next(i for i, g in enumerate(PRUNED.operators) if g.operator.name == "stages.0.blocks.0.gather")
    op = PRUNED.operators[number].operator
    order_bits = 16 * 16
    read = run.operators[number].actions[READ]
    assert 0 <= read - share * op.m * op.n * 16 <= order_bits


def test_a_block_without_kept_windows_is_still_copied(machine):
    assignment = {
        place: (WindowCount(0 if place == (0, 1) else 8, grid.windows, sum(grid.window_tokens())),)
        for place, grid in block_grids(SMALL, 112, 112).items()
    }
    workload = build_workload("small", build_topology(SMALL, 112, 112), assignment, 49)
    names = ("stages.0.blocks.1.gather", "stages.0.blocks.1.scatter", "stages.0.blocks.1.norm1")
    size = 28 * 28 * 32
    for choice, expected in (("bypass", [0, 0, 0]), ("copy", [size, size, 0])):
        elements, _ = vector_elements(workload, machine("packed", f"mixed_precision.pruned_windows={choice}"))
        assert [elements[name] for name in names] == expected
