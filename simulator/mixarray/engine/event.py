"""The reference engine: SimPy, one process per unit, every iteration of every segment walked job by job.

A unit takes its jobs in Schedule order. It waits until each job that the next one depends on is announced, takes the
largest of their moments and of its own becoming free, announces the job, and sleeps until it starts. Moments are known
when a job is announced because durations are; so one pass gives the only answer the max-plus system has (design 5).
"""

from __future__ import annotations

from array import array
from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import simpy

from mixarray.engine.event_counts import count_actions
from mixarray.engine.event_plan import Plan, Step, make_plan
from mixarray.engine.timeline import Execution, Integers, Timeline
from mixarray.mapping.check import check_schedule
from mixarray.mapping.schedule import Event, Job, JobKind, Schedule

FORGET_EVERY_ITERATIONS = 256

Moments = tuple[int, int, int, int]
"""A job's started, issued and ready cycle (indexed by `Event`), and its number in Schedule order."""


@dataclass(slots=True)
class Lane:
    """Announced jobs of one (unit, kind), by index; `oldest` is the first index not yet forgotten."""

    moments: dict[int, Moments] = field(default_factory=dict)
    waiting: dict[int, simpy.Event] = field(default_factory=dict)
    oldest: int = 0


@dataclass(slots=True)
class Walk:
    """The state of one run. position[unit] = (segment, iteration) that the unit works at.

    first_start and last_ready by operator; starts, bindings and binding_events by job where a timeline is kept.
    """

    plan: Plan
    lanes: list[Lane]
    position: list[tuple[int, int]]
    first_start: list[int]
    last_ready: list[int]
    total_cycles: int = 0
    timeline: bool = False
    starts: array[int] = field(default_factory=lambda: array("q"))
    bindings: array[int] = field(default_factory=lambda: array("q"))
    binding_events: array[int] = field(default_factory=lambda: array("q"))


def run_event(schedule: Schedule, operators: int, with_timeline: bool = False) -> Execution:
    """Run `schedule`, whose jobs index `operators` operators; cycles are those of the array clock.

    Raises ScheduleError if the schedule is impossible.
    """
    check_schedule(schedule)
    plan = make_plan(schedule)
    walk = Walk(
        plan=plan,
        lanes=[Lane() for _ in plan.lanes],
        position=[(segments[0].segment, 0) if segments else (len(schedule.segments), 0) for segments in plan.units],
        first_start=[-1] * operators,
        last_ready=[0] * operators,
        timeline=with_timeline,
    )
    if with_timeline:
        walk.starts, walk.bindings, walk.binding_events = (array("q", [0]) * schedule.total_jobs for _ in range(3))
    environment = simpy.Environment()
    processes = [environment.process(_serve(environment, walk, unit)) for unit in range(len(schedule.units))]
    environment.run(simpy.AllOf(environment, processes))
    counts = count_actions(schedule, walk.first_start, walk.last_ready)
    return Execution(
        engine="event",
        total_cycles=walk.total_cycles,
        jobs=schedule.total_jobs,
        busy_cycles=counts.busy_cycles,
        macs=counts.macs,
        useful_pe_cycles=counts.useful_pe_cycles,
        actions=counts.actions,
        operators=counts.operators,
        timeline=_timeline(schedule, walk) if with_timeline else None,
    )


def _serve(environment: simpy.Environment, walk: Walk, unit: int) -> Generator[simpy.Event, None, None]:
    """One unit: its jobs in Schedule order, each at the largest of its constraints."""
    free, previous = 0, -1
    for work in walk.plan.units[unit]:
        for iteration in range(work.repeat):
            walk.position[unit] = (work.segment, iteration)
            if iteration % FORGET_EVERY_ITERATIONS == 0:
                _forget(walk)
            number = work.first_job + iteration * work.jobs_per_iteration
            for step in work.steps(iteration):
                start, binding, binding_event = free, previous, Event.ISSUED
                for lane, stride, offset, floor, event in step.waits:
                    index = stride * iteration + offset
                    if index < floor:
                        continue
                    moments = walk.lanes[lane].moments.get(index)
                    if moments is None:
                        yield _announcement(environment, walk.lanes[lane], index)
                        moments = walk.lanes[lane].moments[index]
                    moment, other = moments[event], moments[3]
                    # a tie binds to the previous job on the unit, then to the lowest job number
                    tie = moment == start and binding != previous and (other == previous or other < binding)
                    if moment > start or tie:
                        start, binding, binding_event = moment, other, event
                previous = number + step.slot
                free = _announce(walk, step, iteration, start, previous)
                if walk.timeline:
                    walk.starts[previous] = start
                    walk.bindings[previous] = binding
                    walk.binding_events[previous] = binding_event
                if start > environment.now:
                    yield environment.timeout(start - environment.now)
    walk.position[unit] = (len(walk.plan.base), 0)


def _announcement(environment: simpy.Environment, lane: Lane, index: int) -> simpy.Event:
    """The event that the unit serving this lane triggers when it announces the job at `index`."""
    event = lane.waiting.get(index)
    if event is None:
        event = lane.waiting[index] = environment.event()
    return event


def _announce(walk: Walk, step: Step, iteration: int, start: int, number: int) -> int:
    """Make the job's moments known, wake whoever waits for them, and return when the unit is free again."""
    issued = start + step.occupancy_cycles
    ready = issued + step.latency_cycles
    lane = walk.lanes[step.lane]
    index = step.stride * iteration + step.offset
    lane.moments[index] = (start, issued, ready, number)
    if lane.waiting:
        waiting = lane.waiting.pop(index, None)
        if waiting is not None:
            waiting.succeed()
    walk.total_cycles = max(walk.total_cycles, ready)
    operator = step.operator
    if operator >= 0:
        walk.last_ready[operator] = max(walk.last_ready[operator], ready)
        if not 0 <= walk.first_start[operator] <= start:
            walk.first_start[operator] = start
    return issued


def _forget(walk: Walk) -> None:
    """Drop moments that no later dependency can read, seen from the unit that lags most in every lane."""
    plan = walk.plan
    end = len(plan.base)
    behind = [(plan.base[segment], plan.stride[segment], step) for segment, step in walk.position if segment < end]
    for number, lane in enumerate(walk.lanes):
        keep = min(base[number] + step * stride[number] for base, stride, step in behind) - plan.reach[number]
        for index in range(lane.oldest, keep):
            if index not in plan.finals[number]:
                del lane.moments[index]
        lane.oldest = max(lane.oldest, keep)


def _timeline(schedule: Schedule, walk: Walk) -> Timeline:
    """Complete the kept starts with what the Schedule already says about every job."""
    kinds = tuple(JobKind)
    order = {kind: index for index, kind in enumerate(kinds)}
    parts: list[Integers] = [np.zeros((0, 6), np.int64)]
    for segment in schedule.segments:
        rows = np.tile(_columns(segment.body, order), (segment.repeat, 1))
        if segment.last is not None:
            rows[-len(segment.body) :] = _columns(segment.last, order)
        if segment.first is not None:
            rows[: len(segment.body)] = _columns(segment.first, order)
        parts.append(rows)
    unit, kind, operator, group, occupancy, latency = np.concatenate(parts).T
    starts = np.array(walk.starts, np.int64)
    return Timeline(
        unit=unit,
        kind=kind,
        operator=operator,
        group=group,
        start_cycles=starts,
        issued_cycles=starts + occupancy,
        ready_cycles=starts + occupancy + latency,
        binding=np.array(walk.bindings, np.int64),
        binding_event=np.array(walk.binding_events, np.int64),
        kinds=kinds,
    )


def _columns(jobs: tuple[Job, ...], order: dict[JobKind, int]) -> Integers:
    return np.array(
        [(j.unit, order[j.kind], j.operator, j.group, j.occupancy_cycles, j.latency_cycles) for j in jobs], np.int64
    )
