"""Shared by the engine's tests: random schedules, and a checker that shares no code with the engine."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from mixarray.engine.timeline import Timeline
from mixarray.mapping.check import ScheduleError, check_schedule
from mixarray.mapping.schedule import (
    Action,
    Back,
    Dependency,
    Event,
    Final,
    Job,
    JobKind,
    Recent,
    Schedule,
    Segment,
)

KINDS = (JobKind.ARRAY_LOAD, JobKind.STREAM, JobKind.DRAM_STORE)


def _dependency(
    draw: random.Random, segments: list[Segment], shape: list[tuple[int, JobKind]], slot: int
) -> Dependency:
    event = draw.choice(tuple(Event))
    kind = draw.choice((0, 1, 2, 2, 2, 3, 3) if segments else (0, 1, 2, 2, 2))
    body = len(shape)
    if kind == 0:
        return Back(draw.randrange(body), draw.randint(1, 4), event)
    if kind == 1:
        return Back(draw.choice([other for other in range(body) if other != slot] or [0]), 0, event)
    if kind == 2:
        lanes = shape + [(job.unit, job.kind) for segment in segments for job in segment.body]
        return Recent(*draw.choice(lanes), draw.randint(1, 5), event)
    earlier = draw.randrange(len(segments))
    return Final(earlier, draw.randrange(len(segments[earlier].body)), event)


def _jobs(draw: random.Random, segments: list[Segment], shape: list[tuple[int, JobKind]]) -> tuple[Job, ...]:
    jobs = []
    for slot, (unit, kind) in enumerate(shape):
        waits = tuple(_dependency(draw, segments, shape, slot) for _ in range(draw.choice((0, 1, 1, 2))))
        waits = tuple(w for w in waits if not (isinstance(w, Back) and w.iterations == 0 and w.slot == slot))
        jobs.append(
            Job(
                unit,
                kind,
                draw.choice((0, 1, 3, 7, 20)),
                draw.choice((0, 0, 2, 30)),
                waits,
                draw.randrange(-1, 3),
                macs=draw.randrange(9),
                useful_pe_cycles=draw.randrange(9),
                actions=((Action("thing", draw.choice("ab")), draw.randint(1, 5)),),
            )
        )
    return tuple(jobs)


def make_random_schedule(seed: int) -> Schedule:
    """A valid schedule of up to 5 units and 5 segments with dependencies of every kind, variants included."""
    draw = random.Random(seed)
    units = draw.randint(2, 5)
    segments: list[Segment] = []
    wanted = draw.randint(1, 5)
    while len(segments) < wanted:
        shape = [(draw.randrange(units), draw.choice(KINDS)) for _ in range(draw.randint(1, 6))]
        variants = [_jobs(draw, segments, shape) if index == 0 or draw.random() < 0.3 else None for index in range(3)]
        body = variants[0]
        assert body is not None
        candidate = Segment(body, draw.choice((1, 1, 2, 3, 8, 20)), variants[1], variants[2])
        try:
            check_schedule(Schedule(tuple(f"u{i}" for i in range(units)), (*segments, candidate)))
        except ScheduleError:
            continue
        segments.append(candidate)
    return Schedule(tuple(f"u{i}" for i in range(units)), tuple(segments))


def constraints(schedule: Schedule, timeline: Timeline) -> Iterator[list[tuple[int, str]]]:
    """For every job in Schedule order, each (cycle, why) that it may not start before."""
    jobs = [
        (s, i, slot, job)
        for s, segment in enumerate(schedule.segments)
        for i in range(segment.repeat)
        for slot, job in enumerate(segment.jobs(i))
    ]
    place = {(s, i, slot): number for number, (s, i, slot, _) in enumerate(jobs)}
    when = [timeline.start_cycles, timeline.issued_cycles, timeline.ready_cycles]
    for number, (s, i, _, job) in enumerate(jobs):
        before = [n for n in range(number) if jobs[n][3].unit == job.unit]
        bounds = [(0, "cycle 0")] + [(int(when[Event.ISSUED][n]), "unit") for n in before[-1:]]
        for wait in job.dependencies:
            if isinstance(wait, Back):
                target = place.get((s, i - wait.iterations, wait.slot))
            elif isinstance(wait, Final):
                target = place[wait.segment, schedule.segments[wait.segment].repeat - 1, wait.slot]
            else:
                same = [n for n in range(number) if (jobs[n][3].unit, jobs[n][3].kind) == (wait.unit, wait.kind)]
                target = same[-wait.count] if len(same) >= wait.count else None
            if target is not None:
                bounds.append((int(when[wait.event][target]), f"{type(wait).__name__} {wait.event.name}"))
        yield bounds


def make_checker(schedule: Schedule, timeline: Timeline) -> bool:
    """True if every job starts exactly at the maximum of its constraints and lasts as long as the Schedule says."""
    starts = [max(bounds)[0] for bounds in constraints(schedule, timeline)]
    jobs = [job for segment in schedule.segments for i in range(segment.repeat) for job in segment.jobs(i)]
    issued = timeline.start_cycles + [job.occupancy_cycles for job in jobs]
    ready = issued + [job.latency_cycles for job in jobs]
    return (
        starts == timeline.start_cycles.tolist()
        and np.array_equal(issued, timeline.issued_cycles)
        and np.array_equal(ready, timeline.ready_cycles)
    )


@pytest.fixture(scope="session")
def random_schedule() -> Callable[[int], Schedule]:
    return make_random_schedule


@pytest.fixture(scope="session")
def obeys() -> Callable[[Schedule, Timeline], bool]:
    return make_checker


@pytest.fixture(scope="session")
def bounds_of() -> Callable[[Schedule, Timeline], Iterator[list[tuple[int, str]]]]:
    return constraints


def make_fold_schedule(folds: list[tuple[int, int]], policy: str, rows: int, columns: int) -> Schedule:
    """One array fed with folds (load rows r_i, passes Meff_i) under design 5's three weight-loading policies."""
    wait = {
        "serial": Recent(0, JobKind.STREAM, 1, Event.READY),
        "single": Recent(0, JobKind.STREAM, 1, Event.ISSUED),
        "double": Recent(0, JobKind.STREAM, 2, Event.ISSUED),
    }[policy]
    segments = []
    for load_rows, passes in folds:
        load = Job(1, JobKind.ARRAY_LOAD, load_rows, 0, (wait,), 0)
        stream = Job(0, JobKind.STREAM, passes, rows + columns - 2, (Back(0, 0, Event.READY),), 0)
        segments.append(Segment((load, stream)))
    return Schedule(("array", "weight_port"), tuple(segments))


@pytest.fixture(scope="session")
def fold_schedule() -> Callable[[list[tuple[int, int]], str, int, int], Schedule]:
    return make_fold_schedule
