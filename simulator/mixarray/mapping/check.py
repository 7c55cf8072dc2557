"""Refuse a Schedule that has no well-defined answer, before any engine walks it (design 5).

A dependency names a job of the same or an earlier iteration, or of an earlier segment, and a unit serves its jobs in
Schedule order. Hence a cycle can only lie inside one iteration of one segment, and looking at each distinct body once
is enough: the cost grows with stored jobs, never with jobs that run.
"""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx

from mixarray.mapping.schedule import Back, Dependency, Final, Job, JobKind, Recent, Schedule, Segment


class ScheduleError(ValueError):
    """The mapping built an impossible Schedule: a defect of the program, not a mistake of the user."""


def check_schedule(schedule: Schedule) -> None:
    """Raise ScheduleError unless every dependency exists, variants agree slot by slot, and nothing waits for itself."""
    for number, segment in enumerate(schedule.segments):
        if segment.repeat < 1 or not segment.body:
            raise ScheduleError(f"segment {number} has {len(segment.body)} jobs and repeat {segment.repeat}")
        for name, jobs in _variants(segment):
            place = f"segment {number} ({name})"
            _check_variant(place, segment, jobs)
            for slot, job in enumerate(jobs):
                _check_job(f"{place} slot {slot} ({job.kind})", schedule, number, slot, job)
            _check_acyclic(place, schedule, jobs)


def _variants(segment: Segment) -> Iterator[tuple[str, tuple[Job, ...]]]:
    yield "body", segment.body
    if segment.first is not None:
        yield "first", segment.first
    if segment.last is not None:
        yield "last", segment.last


def _check_variant(place: str, segment: Segment, jobs: tuple[Job, ...]) -> None:
    ours = [(job.unit, job.kind) for job in jobs]
    if ours != [(job.unit, job.kind) for job in segment.body]:
        raise ScheduleError(f"{place} differs from its body in the units or kinds of its jobs")


def _check_job(place: str, schedule: Schedule, segment: int, slot: int, job: Job) -> None:
    if not 0 <= job.unit < len(schedule.units):
        raise ScheduleError(f"{place} names unit {job.unit} of {len(schedule.units)}")
    if job.occupancy_cycles < 0 or job.latency_cycles < 0:
        raise ScheduleError(f"{place} takes {job.occupancy_cycles} + {job.latency_cycles} cycles")
    for dependency in job.dependencies:
        if not _exists(schedule, segment, slot, dependency):
            raise ScheduleError(f"{place} waits for {dependency}, which does not exist")


def _exists(schedule: Schedule, segment: int, slot: int, dependency: Dependency) -> bool:
    match dependency:
        case Back(target, iterations, _):
            inside = 0 <= target < len(schedule.segments[segment].body)
            return inside and iterations >= 0 and not (iterations == 0 and target == slot)
        case Recent(unit, _, count, _):
            return 0 <= unit < len(schedule.units) and count >= 1
        case Final(earlier, target, _):
            return 0 <= earlier < segment and 0 <= target < len(schedule.segments[earlier].body)


def _check_acyclic(place: str, schedule: Schedule, jobs: tuple[Job, ...]) -> None:
    """Same-iteration waits and unit orders must be a directed acyclic graph; else name the cycle."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    latest: dict[int, int] = {}
    lanes: dict[tuple[int, JobKind], list[int]] = {}
    forward = False
    for slot, job in enumerate(jobs):
        if job.unit in latest:
            graph.add_edge(latest[job.unit], slot)
        latest[job.unit] = slot
        for dependency in job.dependencies:
            if isinstance(dependency, Back) and dependency.iterations == 0:
                graph.add_edge(dependency.slot, slot)
                forward = forward or dependency.slot > slot
            elif isinstance(dependency, Recent):
                lane = lanes.get((dependency.unit, dependency.kind), [])
                if len(lane) >= dependency.count:
                    graph.add_edge(lane[-dependency.count], slot)
        lanes.setdefault((job.unit, job.kind), []).append(slot)
    if not forward:  # every edge points to a later slot, as those of units and `Recent` always do
        return
    try:
        cycle = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return
    names = [f"slot {slot} ({schedule.units[jobs[slot].unit]} {jobs[slot].kind})" for slot, _ in cycle]
    raise ScheduleError(f"{place} waits for itself: " + " -> ".join([*names, names[0]]))
