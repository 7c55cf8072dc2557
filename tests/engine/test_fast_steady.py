"""Iterations that the fast engine does not walk: equal to the event engine all the same, and how often that happens."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.engine.event import run_event
from mixarray.engine.fast import walked_jobs
from mixarray.engine.timeline import Execution
from mixarray.mapping.schedule import Back, Event, Final, Job, JobKind, Recent, Schedule, Segment
from mixarray_analysis.validation.checks.engine_fast import STEADY, WALK, FastEngine, compare, difference, faulty_engine
from mixarray_analysis.validation.faults import Fault
from mixarray_analysis.validation.schedules import OPERATORS, periodic_schedule

CASES = range(160)
STREAM, LOAD = JobKind.STREAM, JobKind.ARRAY_LOAD
SAME = Back(0, 0, Event.READY)


def drawn(case: int) -> Schedule:
    return periodic_schedule(random.Random(f"periodic/{case}"))


@cache
def expected(case: int) -> Execution:
    return run_event(drawn(case), OPERATORS)


@given(st.randoms(use_true_random=False).map(periodic_schedule))
@settings(max_examples=60)
def test_periodic_schedules(schedule):
    assert compare(FastEngine(), schedule, OPERATORS) == ""


def catching_up(repeat: int) -> Schedule:
    """Unit b begins with 1000 cycles and then needs 3 where unit a needs 10: a lead that lasts 141 iterations."""
    a, b = Job(0, LOAD, 10, 0, operator=0), Job(1, STREAM, 3, 0, (SAME,), operator=1)
    return Schedule(("a", "b"), (Segment((a, b), repeat, first=(a, Job(1, STREAM, 1000, 0, operator=1))),))


def two_on_one_unit(repeat: int) -> Schedule:
    """Slots 2 and 3 share unit c; slot 2 follows a (1000 cycles each), slot 3 follows b (999), at first 500 later."""
    a, b = Job(0, LOAD, 1000, 0), Job(1, LOAD, 999, 0)
    follows = Job(2, STREAM, 0, 0, (SAME,)), Job(2, STREAM, 0, 0, (Back(1, 0, Event.READY),), operator=0)
    body = (a, b, *follows)
    return Schedule(("a", "b", "c"), (Segment(body, repeat, first=(a, Job(1, LOAD, 1500, 0), *follows)),))


def slower_from_the_second_on() -> Schedule:
    """b waits for a two iterations before; the first a is ready at once, the others 100 cycles later."""
    b = Job(1, STREAM, 1, 0, (Back(0, 2, Event.READY),), operator=0)
    return Schedule(("a", "b"), (Segment((Job(0, LOAD, 1, 100), b), 40, first=(Job(0, LOAD, 1, 0), b)),))


def reading_on() -> Schedule:
    """The third segment reads lane a job by job in the two before it: 20 jobs of no cycles, then 20 of 50 each."""
    fast, slow = (Segment((Job(0, STREAM, cycles, 0),), 20) for cycles in (0, 50))
    reader = Job(1, LOAD, 1, 0, (Recent(0, STREAM, 40, Event.READY),))
    return Schedule(("a", "b"), (fast, slow, Segment((reader, Job(0, STREAM, 0, 0)), 40)))


def a_million_iterations() -> Schedule:
    """Three iterations take 30 cycles together; later segments read the middle, the end and 5 before the end."""
    ring = Segment((Job(0, STREAM, 4, 6, (Back(0, 3, Event.READY), Back(0, 1, Event.ISSUED)), operator=0),), 10**6)
    reads = tuple(Recent(0, STREAM, back, Event.READY) for back in (6, 500_000))
    readers = tuple(
        Segment((Job(1, LOAD, 1, 0, (wait,), operator=1),)) for wait in (*reads[::-1], Final(0, 0, Event.READY))
    )
    return Schedule(("a", "b"), (ring, *readers))


HAND = (
    *map(catching_up, (139, 140, 141, 142, 143, 144, 300)),
    *map(two_on_one_unit, (300, 499, 500, 501, 502, 503, 700)),
    slower_from_the_second_on(),
    reading_on(),
)


@pytest.mark.parametrize("schedule", HAND, ids=range(len(HAND)))
def test_leads_that_end_and_waits_that_change(schedule):
    assert compare(FastEngine(), schedule, 2) == ""


def test_iterations_are_not_walked_and_yet_known():
    """In a million iterations of 4 cycles each, ready 6 cycles later."""
    execution = FastEngine().count(a_million_iterations(), 2)
    assert walked_jobs(a_million_iterations()) < 20
    assert execution.total_cycles == 4 * 10**6 + 7
    assert execution.operators[0].last_ready_cycles == 4 * 10**6 + 6
    assert execution.operators[1].first_start_cycles == 4 * (10**6 - 500_000 + 1) + 6


FAULTS = (
    Fault("the iteration longest ago is not compared", STEADY, "range(1, compared)", "range(1, compared - 1)"),
    Fault("only the first slot is compared", STEADY, "if ring[late, slot", "if slot == 0 and ring[late, slot"),
    Fault("nothing needs to bind", STEADY, "            if not bound:", "            if slot < 0:"),
    Fault("a skipped phase is mistaken", WALK, "period - 1 - phase", "phase"),
    Fault("a skipped moment is a period early", WALK, "(periods + 1) * shift", "periods * shift"),
    Fault("every period is 1", WALK, "iteration += times * period", "iteration += times"),
    Fault("a period too many", STEADY, "min(left // period, ", "min(left // period + 1, "),
)
HAND_FAULTS = (
    Fault("the unit does not limit a skip", STEADY, "lead // ahead)\n            for", "times)\n            for"),
    Fault(
        "a lead lasts a period too long", STEADY, "lead // ahead)\n            if", "lead // ahead + 1)\n            if"
    ),
    Fault("the first variant is compared", WALK, "1 if variant == body else 0", "1"),
    Fault("moving waits are skipped", WALK, " and not run.ways.moving[segment]", ""),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_noticed(fault):
    engine = faulty_engine(fault)
    assert any(difference(expected(case), engine.count(drawn(case), OPERATORS)) for case in CASES)


@pytest.mark.parametrize("fault", HAND_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_in_a_hand_made_schedule_is_noticed(fault):
    engine = faulty_engine(fault)
    assert any(difference(run_event(schedule, 2), engine.count(schedule, 2)) for schedule in HAND)


def test_what_is_skipped_is_of_every_kind(monkeypatch):
    """Skips in drawn Schedules: periods over 1, drifting units, variants, leads that end, reads from the middle."""
    engine = faulty_engine(Fault("none", STEADY, "import annotations", "import annotations"))
    inner = engine.module.walk.__globals__
    find, keep, seen = inner["find_steady"], inner["_keep_skipped"], Counter()

    def finding(run, ring, row, segment, longest, left, shift):
        period, times = find(run, ring, row, segment, longest, left, shift)
        if times:
            body, first, last = (int(run.flat.segments[column][segment]) for column in (3, 4, 5))
            seen["skip"] += 1
            seen["period"] += period > 1
            seen["drift"] += len(set(shift.tolist())) > 1
            seen["lead"] += int(times < left // period)
            seen["reach"] += int(run.ways.reach[segment] > 2)
            seen["first"] += first != body
            seen["last"] += last != body
        return period, times

    def keeping(run, ring, row, first, period, times, shift, place):
        end = keep(run, ring, row, first, period, times, shift, place)
        latest = first + (times - 1) * period * len(shift)
        seen["middle"] += any(number < latest for number in run.kept.number[place:end].tolist())
        return end

    monkeypatch.setitem(inner, "find_steady", finding)
    monkeypatch.setitem(inner, "_keep_skipped", keeping)
    for case in CASES:
        assert difference(expected(case), engine.count(drawn(case), OPERATORS)) == ""
    assert seen["skip"] >= 200
    assert all(
        seen[name] >= seen["skip"] // 20 for name in ("period", "drift", "lead", "reach", "first", "last", "middle")
    )
