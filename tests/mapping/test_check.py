"""Impossible schedules are refused with the place named."""

from __future__ import annotations

import pytest

from mixarray.engine.event import run_event
from mixarray.mapping.check import ScheduleError, check_schedule
from mixarray.mapping.schedule import Back, Event, Final, Job, JobKind, Recent, Schedule, Segment

LOAD, STREAM = JobKind.ARRAY_LOAD, JobKind.STREAM


def schedule(*jobs, earlier=(), **variants):
    return Schedule(("port", "array"), (*earlier, Segment(tuple(jobs), 3, **variants)))


def test_a_forward_dependency_without_a_cycle_is_allowed():
    good = schedule(Job(0, LOAD, 5, 0, (Back(1, 0, Event.READY),)), Job(1, STREAM, 3, 0))
    check_schedule(good)
    assert run_event(good, 0).total_cycles == 3 * 5 + 3


def test_a_cycle_of_dependencies_is_named():
    bad = schedule(Job(0, LOAD, 5, 0, (Back(1, 0, Event.READY),)), Job(1, STREAM, 3, 0, (Back(0, 0, Event.STARTED),)))
    with pytest.raises(ScheduleError, match=r"segment 0 \(body\) waits for itself: .*port array_load.*array stream"):
        run_event(bad, 0)


def test_a_cycle_through_the_order_of_a_unit_is_found():
    first = Job(1, STREAM, 1, 0, (Back(1, 0, Event.READY),))
    bad = schedule(first, Job(0, LOAD, 1, 0, (Back(2, 0, Event.STARTED),)), Job(1, STREAM, 1, 0))
    with pytest.raises(ScheduleError, match="waits for itself"):
        check_schedule(bad)


def test_a_cycle_through_recent_is_found():
    recent = Recent(1, STREAM, 1, Event.ISSUED)
    bad = schedule(Job(1, STREAM, 1, 0, (Back(1, 0, Event.READY),)), Job(0, LOAD, 1, 0, (recent,)))
    with pytest.raises(ScheduleError, match="waits for itself"):
        check_schedule(bad)


def test_a_cycle_in_a_variant_only_is_found():
    good = (Job(0, LOAD, 1, 0), Job(1, STREAM, 1, 0, (Back(0, 0, Event.READY),)))
    last = (Job(0, LOAD, 1, 0, (Back(1, 0, Event.READY),)), good[1])
    with pytest.raises(ScheduleError, match=r"\(last\) waits for itself"):
        check_schedule(schedule(*good, last=last))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (schedule(Job(2, LOAD, 1, 0)), "unit 2 of 2"),
        (schedule(Job(0, LOAD, -1, 0)), "-1"),
        (schedule(Job(0, LOAD, 1, 0, (Back(1, 1, Event.READY),))), "does not exist"),
        (schedule(Job(0, LOAD, 1, 0, (Back(0, 0, Event.READY),))), "does not exist"),
        (schedule(Job(0, LOAD, 1, 0, (Back(0, -1, Event.READY),))), "does not exist"),
        (schedule(Job(0, LOAD, 1, 0, (Final(0, 0, Event.READY),))), "does not exist"),
        (schedule(Job(0, LOAD, 1, 0, (Recent(0, LOAD, 0, Event.READY),))), "does not exist"),
        (schedule(Job(0, LOAD, 1, 0), first=(Job(1, LOAD, 1, 0),)), "differs from its body"),
        (schedule(Job(0, LOAD, 1, 0), last=(Job(0, STREAM, 1, 0),)), "differs from its body"),
        (schedule(), "0 jobs"),
    ],
)
def test_impossible_schedules_are_refused(bad, message):
    with pytest.raises(ScheduleError, match=message):
        check_schedule(bad)
