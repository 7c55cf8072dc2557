"""Random schedules: the independent checker agrees with the event engine, and every kind of dependency binds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mixarray.engine import event
from mixarray.engine.attribution import attribute
from mixarray.engine.event import run_event
from mixarray.mapping.schedule import Event, JobKind, Schedule, Segment

SEEDS = range(100)


def durations(schedule: Schedule, change):
    """The same schedule with every job replaced by change(job)."""

    def jobs(variant):
        return None if variant is None else tuple(change(job) for job in variant)

    segments = [Segment(jobs(s.body), s.repeat, jobs(s.first), jobs(s.last)) for s in schedule.segments]
    return Schedule(schedule.units, tuple(segments))


def test_every_job_starts_at_the_maximum_of_its_constraints(random_schedule, obeys):
    for seed in SEEDS:
        schedule = random_schedule(seed)
        assert obeys(schedule, run_event(schedule, 3, with_timeline=True).timeline), seed


def test_every_kind_of_dependency_binds_in_a_twentieth_of_the_draws(random_schedule, bounds_of):
    draws = Counter()
    for seed in SEEDS:
        schedule = random_schedule(seed)
        timeline = run_event(schedule, 3, with_timeline=True).timeline
        binding = set()
        for bounds in bounds_of(schedule, timeline):
            latest = max(bounds)[0]
            why = {reason for cycle, reason in bounds if cycle == latest}
            if len(why) == 1:
                binding |= why
        draws.update(binding)
    kinds = [f"{kind} {event.name}" for kind in ("Back", "Recent", "Final") for event in Event]
    assert all(draws[kind] >= len(SEEDS) / 20 for kind in [*kinds, "unit"]), draws


def test_counters_do_not_depend_on_keeping_the_timeline(random_schedule):
    for seed in SEEDS:
        schedule = random_schedule(seed)
        kept = run_event(schedule, 3, with_timeline=True)
        assert replace(kept, timeline=None) == run_event(schedule, 3)


def test_forgetting_at_every_iteration_changes_nothing(random_schedule, monkeypatch):
    kept = [run_event(random_schedule(seed), 3) for seed in SEEDS]
    monkeypatch.setattr(event, "FORGET_EVERY_ITERATIONS", 1)
    assert [run_event(random_schedule(seed), 3) for seed in SEEDS] == kept


def test_counters_equal_the_sum_over_all_jobs(random_schedule):
    for seed in SEEDS:
        schedule = random_schedule(seed)
        jobs = [job for segment in schedule.segments for i in range(segment.repeat) for job in segment.jobs(i)]
        run = run_event(schedule, 3, with_timeline=True)
        busy, actions = Counter(), Counter()
        for job in jobs:
            busy[job.unit, job.kind] += job.occupancy_cycles
            actions.update(dict(job.actions))
        assert run.jobs == len(jobs)
        assert (run.macs, run.useful_pe_cycles) == (sum(j.macs for j in jobs), sum(j.useful_pe_cycles for j in jobs))
        assert dict(run.busy_cycles) == busy
        assert dict(run.actions) == actions
        for counts in run.operators:
            mine = [n for n, job in enumerate(jobs) if job.operator == counts.operator]
            assert counts.macs == sum(jobs[n].macs for n in mine)
            assert counts.first_start_cycles == min((run.timeline.start_cycles[n] for n in mine), default=0)
            assert counts.last_ready_cycles == max((run.timeline.ready_cycles[n] for n in mine), default=0)


def test_shorter_jobs_never_lengthen_the_run(random_schedule):
    for seed in SEEDS:
        schedule = random_schedule(seed)
        shorter = durations(schedule, lambda job: replace(job, occupancy_cycles=job.occupancy_cycles // 2))
        assert run_event(shorter, 3).total_cycles <= run_event(schedule, 3).total_cycles


def test_attribution_covers_the_run_and_bounds_what_removing_a_kind_can_save(random_schedule):
    saved = 0
    for seed in SEEDS:
        schedule = random_schedule(seed)
        run = run_event(schedule, 3, with_timeline=True)
        attribution = attribute(schedule, run.timeline)
        assert sum(attribution.cycles.values()) == attribution.total_cycles == run.total_cycles
        for kind in JobKind:
            attributed = sum(c for (_, _, k), c in attribution.cycles.items() if k is kind)
            free = durations(
                schedule,
                lambda job, kind=kind: replace(job, occupancy_cycles=0, latency_cycles=0) if job.kind is kind else job,
            )
            total = run_event(free, 3).total_cycles
            assert run.total_cycles - attributed <= total <= run.total_cycles
            saved += run.total_cycles - total
    assert saved > 0


def test_binding_names_the_previous_job_on_the_unit_first_then_the_lowest_number(random_schedule, bounds_of):
    for seed in SEEDS:
        schedule = random_schedule(seed)
        timeline = run_event(schedule, 3, with_timeline=True).timeline
        when = (timeline.start_cycles, timeline.issued_cycles, timeline.ready_cycles)
        last: dict[int, int] = {}
        for job, start in enumerate(timeline.start_cycles):
            binding, event = timeline.binding[job], timeline.binding_event[job]
            previous = last.get(int(timeline.unit[job]), -1)
            if previous >= 0 and timeline.issued_cycles[previous] == start:
                assert binding == previous
            if binding >= 0:
                assert when[event][binding] == start
            else:
                assert start == 0
            last[int(timeline.unit[job])] = job


@pytest.mark.parametrize("mutant", ["dependency dropped", "latency as occupancy", "slot off by one"])
def test_the_checker_catches_mutants(mutant, random_schedule, obeys):
    def mutate(job):
        if mutant == "dependency dropped":
            return replace(job, dependencies=job.dependencies[:-1])
        if mutant == "latency as occupancy":
            return replace(job, occupancy_cycles=job.occupancy_cycles + job.latency_cycles, latency_cycles=0)
        waits = tuple(replace(w, count=w.count + 1) if hasattr(w, "count") else w for w in job.dependencies)
        return replace(job, dependencies=waits)

    caught = sum(
        not obeys(random_schedule(seed), run_event(durations(random_schedule(seed), mutate), 3, True).timeline)
        for seed in SEEDS
    )
    assert caught >= len(SEEDS) // 5
