"""The independent checker: every job of a timeline starts exactly at the maximum of its constraints (design 8).

It shares no code with the engine: no lanes, no addresses, no simulation. It walks the Schedule once, remembers which
jobs came before, and reads the moments that each constraint names from the timeline itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from mixarray.engine.timeline import Timeline
from mixarray.mapping.schedule import Back, Event, Final, Job, JobKind, Schedule

COLUMNS = (
    "unit",
    "kind",
    "operator",
    "group",
    "start_cycles",
    "issued_cycles",
    "ready_cycles",
    "binding",
    "binding_event",
)


class Bound(NamedTuple):
    """A job may not start before `cycle`, because of `event` of job number `job` (-1: cycle 0), says `why`."""

    cycle: int
    job: int
    event: Event
    why: str


def bounds(schedule: Schedule, timeline: Timeline) -> Iterator[tuple[Job, list[Bound]]]:
    """Every job in Schedule order with all that bounds its start; the first bound is that of its unit."""
    columns = timeline.start_cycles, timeline.issued_cycles, timeline.ready_cycles
    moments = [column.tolist() for column in columns]
    lanes: defaultdict[tuple[int, JobKind], list[int]] = defaultdict(list)
    on_unit: dict[int, int] = {}
    begins: list[int] = []
    number = 0
    for segment in schedule.segments:
        begins.append(number)
        for iteration in range(segment.repeat):
            for job in segment.jobs(iteration):
                previous = on_unit.get(job.unit, -1)
                free = moments[Event.ISSUED][previous] if previous >= 0 else 0
                found = [Bound(free, previous, Event.ISSUED, "unit")]
                for wait in job.dependencies:
                    if isinstance(wait, Back):
                        behind = iteration - wait.iterations
                        target = begins[-1] + behind * len(segment.body) + wait.slot if behind >= 0 else -1
                    elif isinstance(wait, Final):
                        other = schedule.segments[wait.segment]
                        target = begins[wait.segment] + (other.repeat - 1) * len(other.body) + wait.slot
                    else:
                        lane = lanes[wait.unit, wait.kind]
                        target = lane[-wait.count] if len(lane) >= wait.count else -1
                    if target >= 0:
                        why = f"{type(wait).__name__} {wait.event.name}"
                        found.append(Bound(moments[wait.event][target], target, wait.event, why))
                yield job, found
                on_unit[job.unit] = number
                lanes[job.unit, job.kind].append(number)
                number += 1


def first_violation(schedule: Schedule, timeline: Timeline) -> str:
    """What the first job out of place does wrong, in words; empty where every job is in place.

    A job also has to last as long as the Schedule says, and to name what binds it: the previous job on its unit if
    that one does, else the lowest job number.
    """
    if len(timeline.start_cycles) != schedule.total_jobs:
        return f"{len(timeline.start_cycles)} jobs ran, the Schedule has {schedule.total_jobs}"
    rows = zip(*(getattr(timeline, name).tolist() for name in COLUMNS), strict=True)
    for number, (row, (job, found)) in enumerate(zip(rows, bounds(schedule, timeline), strict=True)):
        start = max(bound.cycle for bound in found)
        binding = [bound for bound in found if bound.cycle == start]
        previous = found[0].job
        chosen = previous if any(b.job == previous for b in binding) else min(b.job for b in binding)
        issued = start + job.occupancy_cycles
        named = job.unit, timeline.kinds.index(job.kind), job.operator, job.group
        expected = *named, start, issued, issued + job.latency_cycles, chosen
        if row[:-1] != expected or row[-1] not in [bound.event for bound in binding if bound.job == chosen]:
            has, wanted = (", ".join(map(str, values)) for values in (row[4:], expected[4:]))
            why = " and ".join(f"{b.why} of job {b.job}" for b in binding)
            return (
                f"job {number} ({schedule.units[job.unit]} {job.kind}) has start, issued, ready, binding job and event "
                f"{has}; it should have {wanted} by {why}"
            )
    return ""
