"""Random Schedules: every kind of dependency, variants, several segments; valid by construction.

One function serves seeds (`random.Random(seed)`) and hypothesis (`st.randoms(use_true_random=False)`).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

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

OPERATORS = 3
"""Operators that jobs of a random Schedule belong to (or to none)."""
KINDS = (JobKind.ARRAY_LOAD, JobKind.STREAM, JobKind.DRAM_STORE)
EVENTS = tuple(Event)

Lane = tuple[int, JobKind]


def seeded_schedule(seed: int, case: int) -> Schedule:
    """The random Schedule of one case of a check."""
    return random_schedule(random.Random(f"{seed}/{case}"))


def random_schedule(draw: random.Random) -> Schedule:
    """A valid Schedule of 2 to 5 units and 1 to 5 segments of up to 6 jobs."""
    units = tuple(f"u{unit}" for unit in range(draw.randint(2, 5)))
    segments: tuple[Segment, ...] = ()
    for _ in range(draw.randint(1, 5)):
        segments = (*segments, _segment(draw, units, segments))
    return Schedule(units, segments)


def change_jobs(schedule: Schedule, change: Callable[[Job], Job]) -> Schedule:
    """The same Schedule with every stored job replaced by `change(job)`."""

    def changed(jobs: tuple[Job, ...] | None) -> tuple[Job, ...] | None:
        return None if jobs is None else tuple(change(job) for job in jobs)

    return Schedule(
        schedule.units,
        tuple(
            Segment(
                tuple(change(job) for job in segment.body),
                segment.repeat,
                changed(segment.first),
                changed(segment.last),
            )
            for segment in schedule.segments
        ),
    )


def periodic_schedule(draw: random.Random) -> Schedule:
    """A valid Schedule of 2 to 5 units and 1 to 3 segments of 20 to 50 iterations that wait for several earlier ones.

    Most segments become periodic, some with periods of several iterations, some drift apart for good or for a while.
    """
    units = tuple(f"u{unit}" for unit in range(draw.randint(2, 5)))
    segments: tuple[Segment, ...] = ()
    for _ in range(draw.randint(1, 3)):
        on_units = [draw.randrange(len(units)) for _ in range(draw.randint(2, 6))]
        body = _circling(draw, segments, on_units)
        first, last = (_circling(draw, segments, on_units) if draw.random() < 0.3 else None for _ in range(2))
        segments = (*segments, Segment(body, draw.randint(20, 50), first, last))
    return Schedule(units, segments)


def _circling(draw: random.Random, earlier: tuple[Segment, ...], on_units: list[int]) -> tuple[Job, ...]:
    return tuple(
        Job(
            unit,
            JobKind.STREAM,
            occupancy_cycles=draw.choice((0, 1, 2, 5, 9, 16)),
            latency_cycles=draw.choice((0, 0, 3, 11, 40)),
            dependencies=tuple(_wait_back(draw, earlier, on_units, slot) for _ in range(draw.randint(1, 3))),
            operator=draw.randrange(-1, OPERATORS),
        )
        for slot, unit in enumerate(on_units)
    )


def _wait_back(draw: random.Random, earlier: tuple[Segment, ...], on_units: list[int], slot: int) -> Dependency:
    event = draw.choice(EVENTS)
    match draw.choice("bbbrf" if earlier else "bbbr"):
        case "r":
            return Recent(draw.choice(on_units), JobKind.STREAM, draw.randint(1, 4 * len(on_units)), event)
        case "f":
            segment = draw.randrange(len(earlier))
            return Final(segment, draw.randrange(len(earlier[segment].body)), event)
        case _:
            other = draw.randrange(len(on_units))
            return Back(other, draw.randint(other >= slot, 4), event)


def _segment(draw: random.Random, units: tuple[str, ...], earlier: tuple[Segment, ...]) -> Segment:
    lanes = [(draw.randrange(len(units)), draw.choice(KINDS)) for _ in range(draw.randint(1, 6))]
    body = _jobs(draw, earlier, lanes)
    first, last = (_jobs(draw, earlier, lanes) if draw.random() < 0.3 else None for _ in range(2))
    segment = Segment(body, draw.choice((1, 1, 2, 3, 8, 20)), first, last)
    try:
        check_schedule(Schedule(units, (*earlier, segment)))
    except ScheduleError:  # waits for later jobs of the same iteration closed a cycle: without them there is none
        return change_jobs(Schedule(units, (segment,)), _without_same_iteration).segments[0]
    return segment


def _without_same_iteration(job: Job) -> Job:
    kept = tuple(wait for wait in job.dependencies if not (isinstance(wait, Back) and wait.iterations == 0))
    return replace(job, dependencies=kept)


def _jobs(draw: random.Random, earlier: tuple[Segment, ...], lanes: list[Lane]) -> tuple[Job, ...]:
    return tuple(
        Job(
            unit,
            kind,
            occupancy_cycles=draw.choice((0, 1, 3, 7, 20)),
            latency_cycles=draw.choice((0, 0, 2, 30)),
            dependencies=tuple(_wait(draw, earlier, lanes, slot) for _ in range(draw.choice((0, 1, 1, 2)))),
            operator=draw.randrange(-1, OPERATORS),
            macs=draw.randrange(9),
            useful_pe_cycles=draw.randrange(9),
            actions=((Action("thing", draw.choice("ab")), draw.randint(1, 5)),),
        )
        for slot, (unit, kind) in enumerate(lanes)
    )


def _wait(draw: random.Random, earlier: tuple[Segment, ...], lanes: list[Lane], slot: int) -> Dependency:
    event = draw.choice(EVENTS)
    others = [other for other in range(len(lanes)) if other != slot]
    match draw.choice("bsrrrff" if earlier else "bsrrr"):
        case "s" if others:
            return Back(draw.choice(others), 0, event)
        case "r":
            known = lanes + [(job.unit, job.kind) for segment in earlier for job in segment.body]
            unit, kind = draw.choice(known)
            return Recent(unit, kind, draw.randint(1, 5), event)
        case "f":
            segment = draw.randrange(len(earlier))
            return Final(segment, draw.randrange(len(earlier[segment].body)), event)
        case _:
            return Back(draw.randrange(len(lanes)), draw.randint(1, 4), event)
