"""Theorems of a fixed Schedule: shorter jobs and more bandwidth never add cycles, attribution bounds savings."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.engine.attribution import attribute
from mixarray.engine.event import run_event
from mixarray.mapping.schedule import JobKind, Schedule
from mixarray_analysis.validation.checks.engine_theorems import (
    attribution_violation,
    monotony_violation,
    removes,
    shorter_schedules,
)
from mixarray_analysis.validation.faults import Engine
from mixarray_analysis.validation.schedules import OPERATORS, change_jobs, seeded_schedule

MANY = settings(max_examples=100)


def run(schedule: Schedule, operators: int = OPERATORS):
    return run_event(schedule, operators, with_timeline=True)


def unrolled_jobs(schedule):
    return [job for segment in schedule.segments for i in range(segment.repeat) for job in segment.jobs(i)]


@given(st.from_type(Schedule), st.randoms(use_true_random=False))
@MANY
def test_no_job_starts_later_when_any_job_or_kind_or_unit_gets_shorter(schedule, draw):
    before = run(schedule)
    for name, shorter in shorter_schedules(schedule, draw):
        assert monotony_violation(before, run(shorter)) == "", name


@given(st.from_type(Schedule))
@MANY
def test_attribution_bounds_what_removing_a_kind_saves(schedule):
    assert attribution_violation(Engine(), schedule, run(schedule), OPERATORS) == ""


@given(st.from_type(Schedule), st.integers(1, 9))
def test_no_run_ends_before_its_busiest_unit_and_its_longest_job(schedule, extra):
    jobs = unrolled_jobs(schedule)
    busy = [sum(job.occupancy_cycles for job in jobs if job.unit == unit) for unit in range(len(schedule.units))]
    longest = max(job.occupancy_cycles + job.latency_cycles for job in jobs)
    serial = sum(job.occupancy_cycles + job.latency_cycles for job in jobs)
    assert max(*busy, longest) <= run(schedule).total_cycles <= serial
    scaled = change_jobs(
        schedule,
        lambda job: replace(
            job, occupancy_cycles=extra * job.occupancy_cycles, latency_cycles=extra * job.latency_cycles
        ),
    )
    assert run(scaled).total_cycles == extra * run(schedule).total_cycles


def test_attribution_is_no_bound_for_nothing():
    """Some kind saves all that is attributed to it, and some kind saves less."""
    exact = less = 0
    for case in range(50):
        schedule = seeded_schedule(0, case)
        before = run(schedule)
        attribution = attribute(schedule, before.timeline)
        for kind in {kind for _, _, kind in attribution.cycles}:
            attributed = sum(cycles for (_, _, k), cycles in attribution.cycles.items() if k is kind)
            saved = before.total_cycles - run(change_jobs(schedule, removes(kind))).total_cycles
            exact += 0 < saved == attributed
            less += saved < attributed
    assert exact > 5
    assert less > 5


def test_faster_dram_and_shorter_jobs_never_add_cycles_to_a_swin(swin_schedule):
    schedule, operators = swin_schedule
    before = run(schedule, operators)
    dram = schedule.units.index("dram_channels.0")
    totals = [before.total_cycles]
    for share in (8, 4, 1):
        faster = change_jobs(
            schedule,
            lambda job, share=share: (
                replace(job, occupancy_cycles=-(-job.occupancy_cycles * share // 10)) if job.unit == dram else job
            ),
        )
        after = run(faster, operators)
        assert monotony_violation(before, after) == "", share
        totals.append(after.total_cycles)
    assert totals == sorted(totals, reverse=True)
    assert totals[-1] < totals[0]
    for name, shorter in shorter_schedules(schedule, random.Random(0)):
        assert monotony_violation(before, run(shorter, operators)) == "", name


def test_attribution_bounds_hold_for_a_swin(swin_schedule):
    schedule, operators = swin_schedule
    before = run(schedule, operators)
    assert JobKind.STREAM in {job.kind for job in unrolled_jobs(schedule)}
    assert attribution_violation(Engine(), schedule, before, operators) == ""
