"""From a Schedule to its tables, column by column: small Schedules come by the thousand.

A mapping stores many jobs, and most lists of waits and actions, more than once; each object is read once.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import TypeVar

import numpy as np

from mixarray.mapping.schedule import Back, Dependency, Final, Job, JobKind, Recent, Schedule, Segment
from mixarray.mapping.schedule_tables import (
    BACK,
    FINAL,
    RECENT,
    DistinctJobs,
    Flat,
    Integers,
    JobTable,
    SegmentTable,
    Tables,
    WaitTable,
)

KINDS = tuple(JobKind)
LARGEST = 2.0**62
"""Numbers of jobs, cycles and counters stay below it: half of what 64 bits hold."""
Thing = TypeVar("Thing")
_KIND_NUMBER = {kind: number for number, kind in enumerate(KINDS)}
_SORTS = {Back: BACK, Recent: RECENT, Final: FINAL}


def with_tables(schedule: Schedule) -> Schedule:
    """The Schedule with its tables, where it can have them (`make_tables`)."""
    tabled = replace(schedule)
    if has_fitting_variants(schedule):
        with suppress(OverflowError):
            object.__setattr__(tabled, "tables", make_tables(schedule))  # as a frozen class sets its own fields
    return tabled


def has_fitting_variants(schedule: Schedule) -> bool:
    """Whether all variants have as many jobs as their bodies."""
    return all(
        variant is None or len(variant) == len(segment.body)
        for segment in schedule.segments
        for variant in (segment.first, segment.last)
    )


def make_tables(schedule: Schedule) -> Tables:
    """The tables of a Schedule, possible or not, with variants that fit.

    Raises OverflowError where a number needs more than 64 bits, or the number of jobs more than 62.
    """
    distinct, number = _stored_jobs(schedule)
    table = _jobs(distinct)
    return Tables(_flat(schedule, distinct, number, table), number, _amounts(distinct, table))


def make_flat(schedule: Schedule) -> Flat:
    """Only those tables on which times depend. Raises as `make_tables` does."""
    distinct, number = _stored_jobs(schedule)
    return _flat(schedule, distinct, number, _jobs(distinct))


def spread(lengths: Integers, chosen: Integers) -> Integers:
    """Of lists that lie behind each other, with these lengths: the places of all elements of the chosen ones."""
    per_list = lengths[chosen]
    starts = (np.cumsum(lengths) - lengths)[chosen]
    places: Integers = np.repeat(starts - (np.cumsum(per_list) - per_list), per_list)
    places += np.arange(len(places))
    return places


def _integers(numbers: Iterable[int]) -> Integers:
    """The numbers as an array (twice as fast as NumPy does it); OverflowError where one needs more than 64 bits."""
    return np.array(array("q", numbers))


def _stored_jobs(schedule: Schedule) -> tuple[list[Job], Integers]:
    """Of all stored jobs (of every segment its body, then its first and its last variant where there are any) each
    object once, and the place of each.
    """
    variants = ((segment.body, segment.first or (), segment.last or ()) for segment in schedule.segments)
    return _each_once(list(chain.from_iterable(chain.from_iterable(variants))))


def _each_once(objects: Sequence[Thing]) -> tuple[list[Thing], Integers]:
    """Each object once, in order, and for every one its place among them, shape (objects,)."""
    identities = list(map(id, objects))
    distinct = dict(zip(identities, objects, strict=True))
    places = dict(zip(distinct, range(len(distinct)), strict=True))
    return list(distinct.values()), _integers(map(places.__getitem__, identities))


def _flat(schedule: Schedule, distinct: Sequence[Job], number: Integers, table: JobTable) -> Flat:
    lists, list_of = _each_once([job.dependencies for job in distinct])
    lengths, of_stored = _integers(map(len, lists)), list_of[number]
    wait_at = np.zeros(len(number) + 1, np.int64)
    np.cumsum(lengths[of_stored], out=wait_at[1:])
    listed, wait = _waits([wait for waits in lists for wait in waits]), spread(lengths, of_stored)
    return Flat(
        units=len(schedule.units),
        kinds=len(KINDS),
        segments=_segments(schedule.segments),
        jobs=JobTable(*(column[number] for column in table)),
        wait_at=wait_at,
        waits=WaitTable(*(column[wait] for column in listed)),
    )


def _segments(segments: Sequence[Segment]) -> SegmentTable:
    slots = _integers([len(segment.body) for segment in segments])
    repeat = _integers([segment.repeat for segment in segments])
    has_first = _integers([segment.first is not None for segment in segments])
    has_last = _integers([segment.last is not None for segment in segments])
    if np.dot(slots.astype(np.float64), repeat.astype(np.float64)) >= LARGEST:
        raise OverflowError("the number of jobs does not fit in 64 bits")
    variants = 1 + has_first + has_last
    body = np.cumsum(slots * variants) - slots * variants
    last = body + np.where(has_last, slots * (variants - 1), 0)
    first = np.where(has_first, body + slots, np.where(repeat == 1, last, body))
    return SegmentTable(slots, repeat, variants, body, first, last, np.cumsum(slots * repeat) - slots * repeat)


def _jobs(jobs: Sequence[Job]) -> JobTable:
    """One row for each of the jobs."""
    unit = _integers([job.unit for job in jobs])
    return JobTable(
        unit=unit,
        lane=unit * len(KINDS) + _integers([_KIND_NUMBER[job.kind] for job in jobs]),
        occupancy_cycles=_integers([job.occupancy_cycles for job in jobs]),
        latency_cycles=_integers([job.latency_cycles for job in jobs]),
        operator=_integers([job.operator for job in jobs]),
    )


def _waits(waits: Sequence[Dependency]) -> WaitTable:
    sort = _integers([_SORTS[type(wait)] for wait in waits])
    where, which, distance = np.zeros((3, len(waits)), np.int64)
    backs = [wait for wait in waits if isinstance(wait, Back)]
    finals = [wait for wait in waits if isinstance(wait, Final)]
    recents = [wait for wait in waits if isinstance(wait, Recent)]
    which[sort == BACK] = _integers([wait.slot for wait in backs])
    distance[sort == BACK] = _integers([wait.iterations for wait in backs])
    where[sort == FINAL] = _integers([wait.segment for wait in finals])
    which[sort == FINAL] = _integers([wait.slot for wait in finals])
    where[sort == RECENT] = _integers([wait.unit for wait in recents])
    which[sort == RECENT] = _integers([_KIND_NUMBER[wait.kind] for wait in recents])
    distance[sort == RECENT] = _integers([wait.count for wait in recents])
    return WaitTable(sort, where, which, distance, _integers([wait.event for wait in waits]))


def _amounts(jobs: Sequence[Job], table: JobTable) -> DistinctJobs:
    """All about the jobs that no time depends on."""
    lists, listed = _each_once([job.actions for job in jobs])
    pairs = [pair for actions in lists for pair in actions]
    number: dict[tuple[str, str], int] = {}
    return DistinctJobs(
        columns=table,
        group=_integers([job.group for job in jobs]),
        macs=_integers([job.macs for job in jobs]),
        useful_pe_cycles=_integers([job.useful_pe_cycles for job in jobs]),
        listed=listed,
        lengths=_integers(map(len, lists)),
        action=_integers([number.setdefault((action.component, action.name), len(number)) for action, _ in pairs]),
        times_each=_integers([times_per_job for _, times_per_job in pairs]),
        names=tuple(number),
    )
