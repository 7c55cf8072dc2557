"""From a Schedule to the tables of the fast engine, column by column: small Schedules come by the thousand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter

import numpy as np

from mixarray.engine.fast_tables import BACK, FINAL, RECENT, Flat, Integers, JobTable, SegmentTable, WaitTable
from mixarray.mapping.schedule import Back, Dependency, Final, Job, JobKind, Recent, Schedule, Segment

KINDS = tuple(JobKind)
_KIND_NUMBER = {id(kind): number for number, kind in enumerate(KINDS)}
"""By identity: members are unique, and hashing one takes longer than all else about its job."""

_SORTS = {Back: BACK, Recent: RECENT, Final: FINAL}


def flatten(schedule: Schedule) -> Flat:
    """The tables of a Schedule, whether it is possible or not, as long as its variants have as many jobs as its bodies.

    Raises OverflowError where a number needs more than 64 bits.
    """
    stored = stored_jobs(schedule)
    lengths = map(len, map(attrgetter("dependencies"), stored))
    wait_at = np.zeros(len(stored) + 1, np.int64)
    np.cumsum(np.fromiter(lengths, np.int64, len(stored)), out=wait_at[1:])
    waits = list(chain.from_iterable(map(attrgetter("dependencies"), stored)))
    units = len(schedule.units)
    return Flat(units, len(KINDS), _segments(schedule.segments), _jobs(stored), wait_at, _waits(waits))


def stored_jobs(schedule: Schedule) -> list[Job]:
    """All stored jobs: of every segment its body, then its first and its last variant where there are any."""
    variants = chain.from_iterable((s.body, s.first or (), s.last or ()) for s in schedule.segments)
    return list(chain.from_iterable(variants))


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
    unit = _column(jobs, "unit")
    return JobTable(
        unit=unit,
        lane=unit * len(KINDS) + _kinds(jobs),
        occupancy_cycles=_column(jobs, "occupancy_cycles"),
        latency_cycles=_column(jobs, "latency_cycles"),
        operator=_column(jobs, "operator"),
    )


def _waits(waits: Sequence[Dependency]) -> WaitTable:
    sort = np.fromiter(map(_SORTS.__getitem__, map(type, waits)), np.int64, len(waits))
    where, which, distance = np.zeros((3, len(waits)), np.int64)
    backs = [wait for wait in waits if isinstance(wait, Back)]
    finals = [wait for wait in waits if isinstance(wait, Final)]
    recents = [wait for wait in waits if isinstance(wait, Recent)]
    which[sort == BACK], distance[sort == BACK] = _column(backs, "slot"), _column(backs, "iterations")
    where[sort == FINAL], which[sort == FINAL] = _column(finals, "segment"), _column(finals, "slot")
    where[sort == RECENT], which[sort == RECENT] = _column(recents, "unit"), _kinds(recents)
    distance[sort == RECENT] = _column(recents, "count")
    return WaitTable(sort, where, which, distance, _column(waits, "event"))


def _column(rows: Sequence[object], name: str) -> Integers:
    return np.fromiter(map(attrgetter(name), rows), np.int64, len(rows))


def _kinds(rows: Sequence[Job] | Sequence[Recent]) -> Integers:
    kinds: Iterable[JobKind] = map(attrgetter("kind"), rows)
    return np.fromiter(map(_KIND_NUMBER.__getitem__, map(id, kinds)), np.int64, len(rows))
