"""Gathered copies of a map: stored and counted where windows are moved by a pass, nowhere else; nothing gets lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixarray.engine.event_counts import variants
from mixarray.mapping.build import build_schedule, plan_workload
from mixarray.mapping.chain_amounts import Amounts
from mixarray.mapping.own_work import Item, copied_map, item_of
from mixarray.mapping.schedule import Action, JobKind
from mixarray.trace.model import OperatorKind
from mixarray.trace.workload import WindowCount, Workload, build_workload
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import block_grids, build_topology

SMALL = SwinShape("small", channels=(32, 64), depths=(2, 2), heads=(1, 2))
STORED = Action("dram_channels.0", "write_bits")
EXACT = "dram_channels.0.burst_bits=1"
CAPACITIES_KIB = (8, 32, 64, 80, 96, 112, 256)


def halves() -> Workload:
    """A small Swin of 112x112 px, half of its windows at 4 bits."""
    assignment = {}
    for place, grid in block_grids(SMALL, 112, 112).items():
        tokens, high = grid.window_tokens(), grid.windows // 2
        parts = (8, tokens[:high]), (4, tokens[high:])
        assignment[place] = tuple(WindowCount(bits, len(part), sum(part)) for bits, part in parts)
    return build_workload("small", build_topology(SMALL, 112, 112), assignment, 49)


MIXED = halves()


def stored_bits(schedule, operator: int) -> dict[JobKind, int]:
    """What the stores of an operator write to DRAM, by their kind; free ones write nothing."""
    found: dict[JobKind, int] = {}
    for segment in schedule.segments:
        for jobs, times in variants(segment):
            for job in jobs:
                if job.operator == operator and job.kind in (JobKind.DRAM_STORE, JobKind.DRAM_STORE_COPY):
                    found[job.kind] = found.get(job.kind, 0) + dict(job.actions).get(STORED, 0) * times
    return found


def gathers() -> list[int]:
    return [number for number, g in enumerate(MIXED.operators) if g.operator.kind is OperatorKind.GATHER]


def map_bits(number: int) -> int:
    op = MIXED.operators[number].operator
    return op.m * op.n * 16


@pytest.mark.parametrize(("movement", "share"), [("pass", 1), ("bursts", 0), ("free", 0)])
def test_copies_are_stored_by_a_pass_and_by_nothing_else(movement, share, machine):
    accelerator = machine("packed", EXACT, "buffers.activation.capacity_kib=8", f"mixed_precision.movement={movement}")
    schedule = build_schedule(MIXED, accelerator)
    for number in gathers():
        assert stored_bits(schedule, number) == {JobKind.DRAM_STORE_COPY: share * map_bits(number)}


def test_copies_belong_to_the_movement_and_maps_to_nobody():
    assert item_of(JobKind.DRAM_STORE_COPY, OperatorKind.GATHER) is Item.MOVEMENT
    assert item_of(JobKind.DRAM_STORE, OperatorKind.GATHER) is None
    assert item_of(JobKind.DRAM_STORE, OperatorKind.SCATTER) is None


def lost(accelerator) -> list[str]:
    """Gathers whose tokens are read from DRAM later, where neither they nor their map have been stored in full."""
    planned = plan_workload(MIXED, accelerator)
    schedule = build_schedule(MIXED, accelerator)
    missing = []
    for number in gathers():
        op = MIXED.operators[number].operator
        if op.output in planned.resident:
            continue
        in_dram = copied_map(op) not in planned.resident
        if not in_dram and sum(stored_bits(schedule, number).values()) < map_bits(number):
            missing.append(op.name)
    return missing


@pytest.mark.parametrize("movement", ["pass", "bursts", "free"])
@pytest.mark.parametrize("capacity_kib", CAPACITIES_KIB)
def test_what_a_residual_reads_lies_somewhere(movement, capacity_kib, machine):
    size = f"buffers.activation.capacity_kib={capacity_kib}"
    assert lost(machine("packed", EXACT, size, f"mixed_precision.movement={movement}")) == []


def test_a_map_that_is_on_the_chip_only_makes_no_copy(machine):
    """Its gathered tokens are then the only ones in DRAM: stored whatever the movement costs."""
    only = []
    for capacity_kib in CAPACITIES_KIB:
        accelerator = machine("packed", f"buffers.activation.capacity_kib={capacity_kib}", EXACT)
        resident = plan_workload(MIXED, accelerator).resident
        for number in gathers():
            op = MIXED.operators[number].operator
            if copied_map(op) in resident and op.output not in resident:
                only.append(capacity_kib)
                assert set(stored_bits(build_schedule(MIXED, accelerator), number)) == {JobKind.DRAM_STORE}
    assert only


def test_a_copy_taken_for_granted_would_be_noticed(machine, monkeypatch):
    """The planted fault: the map of every gather is said to lie in DRAM."""
    whole = Amounts._traffic

    def granted(self, chain, loops, worked):
        return [replace(e, copy_of=None if e.copy_of is None else -1) for e in whole(self, chain, loops, worked)]

    monkeypatch.setattr(Amounts, "_traffic", granted)
    found = [
        name
        for capacity_kib in CAPACITIES_KIB
        for name in lost(
            machine("packed", EXACT, f"buffers.activation.capacity_kib={capacity_kib}", "mixed_precision.movement=free")
        )
    ]
    assert found
