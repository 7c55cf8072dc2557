"""Random Schedules: counters, forgetting, and what binds a job."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mixarray.engine import event
from mixarray.engine.event import run_event
from mixarray.mapping.schedule import Schedule
from mixarray_analysis.validation.schedules import OPERATORS, seeded_schedule

CASES = range(100)


def run(schedule: Schedule):
    return run_event(schedule, OPERATORS, with_timeline=True)


@given(st.from_type(Schedule))
def test_counters_do_not_depend_on_keeping_the_timeline(schedule):
    assert replace(run(schedule), timeline=None) == run_event(schedule, OPERATORS)


def test_forgetting_at_every_iteration_changes_nothing(monkeypatch):
    kept = [run_event(seeded_schedule(0, case), OPERATORS) for case in CASES]
    monkeypatch.setattr(event, "FORGET_EVERY_ITERATIONS", 1)
    assert [run_event(seeded_schedule(0, case), OPERATORS) for case in CASES] == kept


@given(st.from_type(Schedule))
def test_counters_equal_the_sum_over_all_jobs(schedule):
    jobs = [job for segment in schedule.segments for i in range(segment.repeat) for job in segment.jobs(i)]
    execution = run(schedule)
    busy, actions = Counter(), Counter()
    for job in jobs:
        busy[job.unit, job.kind] += job.occupancy_cycles
        actions.update(dict(job.actions))
    assert execution.jobs == len(jobs)
    assert (execution.macs, execution.useful_pe_cycles) == (
        sum(job.macs for job in jobs),
        sum(job.useful_pe_cycles for job in jobs),
    )
    assert dict(execution.busy_cycles) == busy
    assert dict(execution.actions) == actions
    for counts in execution.operators:
        mine = [n for n, job in enumerate(jobs) if job.operator == counts.operator]
        assert counts.macs == sum(jobs[n].macs for n in mine)
        assert counts.first_start_cycles == min((execution.timeline.start_cycles[n] for n in mine), default=0)
        assert counts.last_ready_cycles == max((execution.timeline.ready_cycles[n] for n in mine), default=0)
