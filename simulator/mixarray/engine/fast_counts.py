"""Counters of the fast engine: sums over stored jobs, each weighted by how often it runs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np

from mixarray.engine.fast_flat import KINDS, integers, stored_jobs
from mixarray.engine.fast_tables import Flat, Integers
from mixarray.mapping.schedule import Action, Job, JobKind, Schedule

LARGEST = 2.0**62
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Sums:
    """Counters that do not depend on time, of a whole Schedule or of one operator; units as in `Execution`."""

    busy_cycles: Mapping[tuple[int, JobKind], int]
    macs: int
    useful_pe_cycles: int
    actions: Mapping[Action, int]


def count(schedule: Schedule, flat: Flat, operators: int) -> tuple[Sums, ...]:
    """The counters of each operator, of the jobs that no operator has, and of all jobs.

    Raises OverflowError where a counter needs more than 64 bits.
    """
    times = _times_run(flat)
    runs = times > 0
    jobs = [job for job, ran in zip(stored_jobs(schedule), runs.tolist(), strict=True) if ran]
    times, operator = times[runs], flat.jobs.operator[runs]
    owner = np.where(operator < 0, operators, operator)
    lanes = [(unit, kind) for unit in range(flat.units) for kind in KINDS]
    columns = (
        _by_key(_weighted(flat.jobs.occupancy_cycles[runs], times), owner, flat.jobs.lane[runs], operators, lanes),
        _by_owner(_weighted(integers([job.macs for job in jobs]), times), owner, operators),
        _by_owner(_weighted(integers([job.useful_pe_cycles for job in jobs]), times), owner, operators),
        _actions(jobs, times, owner, operators),
    )
    return tuple(Sums(*row) for row in zip(*columns, strict=True))


def _times_run(flat: Flat) -> Integers:
    """How often each stored job runs, shape (stored jobs,)."""
    slots, repeat, variants, body, first, last, _ = flat.segments
    place = np.cumsum(variants) - variants  # of each segment's body among all variants
    times = np.zeros(int(variants.sum()), np.int64)
    np.add.at(times, place + (first - body) // slots, 1)
    np.add.at(times, place + (last - body) // slots, repeat > 1)
    np.add.at(times, place, np.maximum(0, repeat - 2))
    return np.repeat(times, np.repeat(slots, variants))


def _weighted(values: Integers, times: Integers) -> Integers:
    """values * times; OverflowError where their sum might not fit in 64 bits."""
    if np.dot(np.abs(values.astype(np.float64)), times.astype(np.float64)) >= LARGEST:
        raise OverflowError("a counter does not fit in 64 bits")
    return values * times


def _by_owner(values: Integers, owner: Integers, operators: int) -> list[int]:
    """The sum of the values of each operator, of those without one, and of all; arrays of one shape."""
    sums = np.zeros(operators + 2, np.int64)
    np.add.at(sums, owner, values)
    sums[-1] = sums.sum()
    return list(map(int, sums))


def _by_key(
    values: Integers, owner: Integers, key: Integers, operators: int, names: Sequence[Key]
) -> list[dict[Key, int]]:
    """The same for each key that occurs, by the names of the keys and in their order."""
    sums, seen = np.zeros((operators + 2, len(names)), np.int64), np.zeros((operators + 2, len(names)), np.bool_)
    np.add.at(sums, (owner, key), values)
    seen[owner, key] = True
    sums[-1], seen[-1] = sums.sum(axis=0), seen.any(axis=0)
    occurring, totals = [names[place] for place in np.nonzero(seen)[1].tolist()], sums[seen].tolist()
    bounds = np.cumsum([0, *seen.sum(axis=1)]).tolist()
    return [dict(zip(occurring[start:end], totals[start:end], strict=True)) for start, end in pairwise(bounds)]


def _actions(jobs: Sequence[Job], times: Integers, owner: Integers, operators: int) -> list[dict[Action, int]]:
    """How often each action happens, as in `_by_key`; actions in the order in which the Schedule first names them."""
    lists = {id(job.actions): job.actions for job in jobs}  # many jobs share one list
    place = {identity: number for number, identity in enumerate(lists)}
    list_of_job = integers([place[id(job.actions)] for job in jobs])
    pairs = [pair for actions in lists.values() for pair in actions]
    number: dict[tuple[str, str], int] = {}
    key = integers([number.setdefault((action.component, action.name), len(number)) for action, _ in pairs])
    counts = integers([times_per_job for _, times_per_job in pairs])
    lengths = integers([len(actions) for actions in lists.values()])
    per_job = lengths[list_of_job]
    job = np.repeat(np.arange(len(jobs)), per_job)
    starts = np.cumsum(lengths) - lengths
    within = np.arange(len(job)) - np.repeat(np.cumsum(per_job) - per_job, per_job)
    pair = starts[list_of_job[job]] + within
    return _by_key(
        *(_weighted(counts[pair], times[job]), owner[job], key[pair], operators), [Action(*name) for name in number]
    )
