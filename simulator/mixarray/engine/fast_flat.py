"""From a Schedule to the tables of the fast engine, column by column: small Schedules come by the thousand."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from mixarray.engine.fast_tables import BACK, FINAL, RECENT, Flat, Integers, JobTable, SegmentTable, WaitTable
from mixarray.mapping.schedule import Back, Dependency, Final, Job, JobKind, Recent, Schedule, Segment

KINDS = tuple(JobKind)
_KIND_NUMBER = {kind: number for number, kind in enumerate(KINDS)}
_SORTS = {Back: BACK, Recent: RECENT, Final: FINAL}


def integers(numbers: Sequence[int]) -> Integers:
    """The numbers as an array (twice as fast as NumPy does it); OverflowError where one needs more than 64 bits."""
    return np.array(array("q", numbers))


def flatten(schedule: Schedule) -> Flat:
    """The tables of a Schedule, whether it is possible or not, as long as its variants have as many jobs as its bodies.

    Raises OverflowError where a number needs more than 64 bits.
    """
    stored = stored_jobs(schedule)
    wait_at = np.zeros(len(stored) + 1, np.int64)
    np.cumsum(integers([len(job.dependencies) for job in stored]), out=wait_at[1:])
    waits = [wait for job in stored for wait in job.dependencies]
    units = len(schedule.units)
    return Flat(units, len(KINDS), _segments(schedule.segments), _jobs(stored), wait_at, _waits(waits))


def stored_jobs(schedule: Schedule) -> list[Job]:
    """All stored jobs: of every segment its body, then its first and its last variant where there are any."""
    stored: list[Job] = []
    for segment in schedule.segments:
        stored += segment.body
        stored += segment.first or ()
        stored += segment.last or ()
    return stored


def longest_cycles(flat: Flat) -> float:
    """All durations one after the other, each as often as its segment repeats: no run is longer."""
    per_segment = flat.segments.slots * flat.segments.variants
    repeat = np.repeat(flat.segments.repeat, per_segment).astype(np.float64)
    durations = flat.jobs.occupancy_cycles.astype(np.float64) + flat.jobs.latency_cycles
    return float(np.dot(repeat, durations))


def _segments(segments: Sequence[Segment]) -> SegmentTable:
    rows = []
    body = first_job = 0
    for segment in segments:
        slots, repeat = len(segment.body), segment.repeat
        variants = 1 + (segment.first is not None) + (segment.last is not None)
        last = body if segment.last is None else body + slots * (variants - 1)
        first = last if repeat == 1 else body
        if segment.first is not None:
            first = body + slots
        rows.append((slots, repeat, variants, body, first, last, first_job))
        body += slots * variants
        first_job += slots * repeat
    table = np.array(rows, np.int64).reshape(len(rows), len(SegmentTable._fields))
    return SegmentTable(*np.ascontiguousarray(table.T))


def _jobs(jobs: Sequence[Job]) -> JobTable:
    unit = integers([job.unit for job in jobs])
    return JobTable(
        unit=unit,
        lane=unit * len(KINDS) + integers([_KIND_NUMBER[job.kind] for job in jobs]),
        occupancy_cycles=integers([job.occupancy_cycles for job in jobs]),
        latency_cycles=integers([job.latency_cycles for job in jobs]),
        operator=integers([job.operator for job in jobs]),
    )


def _waits(waits: Sequence[Dependency]) -> WaitTable:
    sort = integers([_SORTS[type(wait)] for wait in waits])
    where, which, distance = np.zeros((3, len(waits)), np.int64)
    backs = [wait for wait in waits if isinstance(wait, Back)]
    finals = [wait for wait in waits if isinstance(wait, Final)]
    recents = [wait for wait in waits if isinstance(wait, Recent)]
    which[sort == BACK] = integers([wait.slot for wait in backs])
    distance[sort == BACK] = integers([wait.iterations for wait in backs])
    where[sort == FINAL] = integers([wait.segment for wait in finals])
    which[sort == FINAL] = integers([wait.slot for wait in finals])
    where[sort == RECENT] = integers([wait.unit for wait in recents])
    which[sort == RECENT] = integers([_KIND_NUMBER[wait.kind] for wait in recents])
    distance[sort == RECENT] = integers([wait.count for wait in recents])
    return WaitTable(sort, where, which, distance, integers([wait.event for wait in waits]))
