"""Addresses for the event engine: which earlier job a dependency means, as arithmetic instead of search.

A *lane* is the jobs of one (unit, kind) in Schedule order. Variants agree slot by slot on units and kinds, so the
number of jobs that a lane holds before (segment, iteration, slot) is linear in the iteration, and every dependency
becomes `index = stride * iteration + offset` into one lane, void below a floor.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from mixarray.mapping.schedule import Back, Dependency, Event, Final, Job, JobKind, Recent, Schedule, Segment

LaneKey = tuple[int, JobKind]


class Address(NamedTuple):
    """The job at `stride * iteration + offset` of lane `lane`, and which of its moments; void where below `floor`."""

    lane: int
    stride: int
    offset: int
    floor: int
    event: Event


class Step(NamedTuple):
    """A job as its unit sees it: its slot, its own place in its lane, its durations, and what it waits for."""

    slot: int
    lane: int
    stride: int
    offset: int
    occupancy_cycles: int
    latency_cycles: int
    operator: int
    waits: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class UnitSegment:
    """The steps of one unit in one segment, by variant."""

    segment: int
    repeat: int
    first_job: int
    jobs_per_iteration: int
    body: tuple[Step, ...]
    first: tuple[Step, ...]
    last: tuple[Step, ...]

    def steps(self, iteration: int) -> tuple[Step, ...]:
        """The steps of iteration 0 .. repeat-1 (with repeat 1 the first variant wins)."""
        if iteration == 0:
            return self.first
        return self.last if iteration == self.repeat - 1 else self.body


@dataclass(slots=True)
class Plan:
    """Everything the walk needs.

    units: the work of each unit. base[segment][lane] and stride[segment][lane]: jobs of the lane before the segment,
    and per iteration in it. finals[lane]: indices that a `Final` may read at any later time. reach[lane]: how far back
    from the start of its own iteration any other dependency may read.
    """

    lanes: dict[LaneKey, int] = field(default_factory=dict)
    units: list[list[UnitSegment]] = field(default_factory=list)
    base: list[list[int]] = field(default_factory=list)
    stride: list[list[int]] = field(default_factory=list)
    finals: list[set[int]] = field(default_factory=list)
    reach: list[int] = field(default_factory=list)


def make_plan(schedule: Schedule) -> Plan:
    """Number the lanes, then turn every stored job into a step of its unit."""
    plan = Plan(units=[[] for _ in schedule.units])
    for segment in schedule.segments:
        for job in segment.body:
            plan.lanes.setdefault((job.unit, job.kind), len(plan.lanes))
    plan.finals = [set() for _ in plan.lanes]
    plan.reach = [0] * len(plan.lanes)
    base = [0] * len(plan.lanes)
    for segment in schedule.segments:
        stride = [0] * len(plan.lanes)
        for key, count in Counter((job.unit, job.kind) for job in segment.body).items():
            stride[plan.lanes[key]] = count
        plan.base.append(base)
        plan.stride.append(stride)
        base = [before + segment.repeat * count for before, count in zip(base, stride, strict=True)]
    first_job = 0
    for number, segment in enumerate(schedule.segments):
        _plan_segment(plan, schedule, number, first_job)
        first_job += len(segment.body) * segment.repeat
    return plan


@dataclass(frozen=True, slots=True)
class _Place:
    """A segment being planned; positions[slot][lane]: jobs of the lane in the same iteration before the slot."""

    plan: Plan
    schedule: Schedule
    segment: int
    positions: list[list[int]]


def _plan_segment(plan: Plan, schedule: Schedule, number: int, first_job: int) -> None:
    segment = schedule.segments[number]
    place = _Place(plan, schedule, number, _positions(plan, segment))
    body = _plan_jobs(place, segment.body)
    first = _plan_jobs(place, segment.first) if segment.first else body
    last = _plan_jobs(place, segment.last) if segment.last else body
    if segment.repeat == 1 and segment.first is None:
        first = last
    for unit, steps in body.items():
        variants = tuple(steps), tuple(first[unit]), tuple(last[unit])
        plan.units[unit].append(UnitSegment(number, segment.repeat, first_job, len(segment.body), *variants))


def _positions(plan: Plan, segment: Segment) -> list[list[int]]:
    counts = [0] * len(plan.lanes)
    rows = []
    for job in segment.body:
        rows.append(list(counts))
        counts[plan.lanes[job.unit, job.kind]] += 1
    return rows


def _plan_jobs(place: _Place, jobs: tuple[Job, ...]) -> dict[int, list[Step]]:
    plan = place.plan
    steps: dict[int, list[Step]] = {}
    for slot, job in enumerate(jobs):
        lane = plan.lanes[job.unit, job.kind]
        found = [_address(place, slot, dependency) for dependency in job.dependencies]
        step = Step(
            slot,
            lane,
            plan.stride[place.segment][lane],
            plan.base[place.segment][lane] + place.positions[slot][lane],
            job.occupancy_cycles,
            job.latency_cycles,
            job.operator,
            tuple(address for address in found if address is not None),
        )
        steps.setdefault(job.unit, []).append(step)
    return steps


def _address(place: _Place, slot: int, dependency: Dependency) -> Address | None:
    """Where the dependency's job stands; None if the Schedule has no job of that unit and kind at all."""
    plan, segments = place.plan, place.schedule.segments
    bases, strides = plan.base[place.segment], plan.stride[place.segment]
    match dependency:
        case Back(target, iterations, event):
            job = segments[place.segment].body[target]
            lane = plan.lanes[job.unit, job.kind]
            plan.reach[lane] = max(plan.reach[lane], iterations * strides[lane])
            offset = bases[lane] + place.positions[target][lane] - iterations * strides[lane]
            return Address(lane, strides[lane], offset, bases[lane], event)
        case Recent(unit, kind, count, event):
            found = plan.lanes.get((unit, kind))
            if found is None:
                return None
            plan.reach[found] = max(plan.reach[found], count)
            return Address(found, strides[found], bases[found] + place.positions[slot][found] - count, 0, event)
        case Final(earlier, target, event):
            segment = segments[earlier]
            job = segment.body[target]
            lane = plan.lanes[job.unit, job.kind]
            within = sum((other.unit, other.kind) == (job.unit, job.kind) for other in segment.body[:target])
            index = plan.base[earlier][lane] + (segment.repeat - 1) * plan.stride[earlier][lane] + within
            plan.finals[lane].add(index)
            return Address(lane, 0, index, 0, event)
