"""Attribution: every cycle of a run belongs to one (operator, unit, kind), and bounds what removing work saves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.engine.attribution import Attribution, attribute
from mixarray.engine.event import run_event
from mixarray.engine.timeline import Timeline
from mixarray.mapping.schedule import Event, Job, JobKind, Schedule
from mixarray_analysis.validation.schedules import OPERATORS, change_jobs, seeded_schedule

Key = tuple[int, str, JobKind]
MOMENTS = {Event.STARTED: "start_cycles", Event.ISSUED: "issued_cycles", Event.READY: "ready_cycles"}


def run(schedule: Schedule, operators: int = OPERATORS) -> Timeline:
    timeline = run_event(schedule, operators, with_timeline=True).timeline
    assert timeline is not None
    return timeline


def owners(schedule: Schedule, timeline: Timeline) -> list[Key]:
    """Who owns each cycle 0 .. total-1: painted from the last job backwards, each cycle once.

    Raises AssertionError where two links of the chain leave a gap between them or paint a cycle twice.
    """
    total = int(timeline.ready_cycles.max())
    cycles: list[Key | None] = [None] * total
    job, end = int(timeline.ready_cycles.argmax()), total
    while job >= 0:
        start = int(timeline.start_cycles[job])
        key = (
            int(timeline.operator[job]),
            schedule.units[timeline.unit[job]],
            timeline.kinds[timeline.kind[job]],
        )
        for cycle in range(start, end):
            assert cycles[cycle] is None
            cycles[cycle] = key
        binding = int(timeline.binding[job])
        end = 0 if binding < 0 else int(getattr(timeline, MOMENTS[Event(timeline.binding_event[job])])[binding])
        assert end == start, "a gap between two links of the chain"
        job = binding
    found = [key for key in cycles if key is not None]
    assert len(found) == total
    return found


@given(st.from_type(Schedule))
def test_the_chain_covers_every_cycle_once(schedule: Schedule) -> None:
    timeline = run(schedule)
    attribution = attribute(schedule, timeline)
    assert Counter(owners(schedule, timeline)) == attribution.cycles
    assert attribution.total_cycles == sum(attribution.cycles.values())


def test_the_chain_covers_every_cycle_of_a_swin_on_every_accelerator(swin_schedule: tuple[Schedule, int]) -> None:
    schedule, operators = swin_schedule
    timeline = run(schedule, operators)
    attribution = attribute(schedule, timeline)
    assert Counter(owners(schedule, timeline)) == attribution.cycles
    assert attribution.total_cycles == run_event(schedule, operators).total_cycles
    assert attribution.chain_jobs > 100


def test_summed_over_operators_nothing_is_lost(swin_schedule: tuple[Schedule, int]) -> None:
    schedule, operators = swin_schedule
    attribution = attribute(schedule, run(schedule, operators))
    summed = attribution.by_unit_and_kind()
    assert sum(summed.values()) == attribution.total_cycles
    assert summed["arrays.0", JobKind.STREAM] == sum(
        cycles for (_, unit, kind), cycles in attribution.cycles.items() if (unit, kind) == ("arrays.0", JobKind.STREAM)
    )


def test_an_empty_schedule_has_nothing_to_attribute() -> None:
    nothing = np.zeros(0, np.int64)
    timeline = Timeline(nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    assert attribute(Schedule(("u0",), ()), timeline) == Attribution(0, 0, {})


def without(schedule: Schedule, drop: Callable[[Job], bool]) -> Schedule:
    """Those jobs take no time."""
    return change_jobs(schedule, lambda job: replace(job, occupancy_cycles=0, latency_cycles=0) if drop(job) else job)


def bound_violations(schedule: Schedule, attribution: Attribution, operators: int) -> list[str]:
    """Where `total - attributed(x) <= total without x <= total` fails, for x each operator, unit, kind, and pair."""
    total = attribution.total_cycles
    units = schedule.units
    asked: list[tuple[str, Callable[[Key], bool]]] = []
    for key in sorted(attribution.cycles):
        asked += [(str(key[:1]), lambda k, key=key: k[0] == key[0]), (key[1], lambda k, key=key: k[1] == key[1])]
        asked += [(key[2], lambda k, key=key: k[2] is key[2]), (str(key[1:]), lambda k, key=key: k[1:] == key[1:])]
    violations = []
    for name, chosen in dict(asked).items():
        attributed = sum(cycles for key, cycles in attribution.cycles.items() if chosen(key))
        free = without(schedule, lambda job, chosen=chosen: chosen((job.operator, units[job.unit], job.kind)))
        found = run_event(free, operators).total_cycles
        if not total - attributed <= found <= total:
            violations.append(f"without {name}: {found} of {total}, attributed {attributed}")
    return violations


CASES = range(60)


@pytest.mark.parametrize("case", CASES)
def test_bounds_hold_by_operator_unit_and_kind(case: int) -> None:
    schedule = seeded_schedule(1, case)
    assert bound_violations(schedule, attribute(schedule, run(schedule)), OPERATORS) == []


def test_bounds_hold_for_gemms_on_every_accelerator(gemm_schedules: list[Schedule]) -> None:
    for schedule in gemm_schedules:
        assert bound_violations(schedule, attribute(schedule, run(schedule, 1)), 1) == []


def test_an_attribution_to_the_wrong_owner_breaks_a_bound() -> None:
    """The planted fault gives every cycle of one owner to another one."""
    noticed = 0
    for case in CASES:
        schedule = seeded_schedule(1, case)
        attribution = attribute(schedule, run(schedule))
        keys = sorted(attribution.cycles)
        if len(keys) > 1:
            moved = dict(attribution.cycles)
            moved[keys[0]] += moved.pop(keys[1])
            noticed += bool(bound_violations(schedule, replace(attribution, cycles=moved), OPERATORS))
    assert noticed > 10


def test_a_start_that_nothing_binds_is_refused() -> None:
    schedule = seeded_schedule(1, 0)
    timeline = run(schedule)
    job = int(timeline.ready_cycles.argmax())
    assert timeline.start_cycles[job] > 0
    cut = timeline.binding.copy()
    cut[job] = -1
    with pytest.raises(ValueError, match="nothing binds"):
        attribute(schedule, replace(timeline, binding=cut))
