"""Counters of the fast engine: sums over distinct jobs, each weighted by how often it runs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mixarray.compiled import compiled
from mixarray.mapping.schedule import Action, JobKind
from mixarray.mapping.schedule_tables import DistinctJobs, Flat, Integers, Tables
from mixarray.mapping.tabulate import KINDS, LARGEST, spread

Key = TypeVar("Key", bound=Hashable)


class Sums(NamedTuple):
    """Counters that do not depend on time, of a whole Schedule or of one operator; units as in `Execution`."""

    busy_cycles: Mapping[tuple[int, JobKind], int]
    macs: int
    useful_pe_cycles: int
    actions: Mapping[Action, int]


def count(tables: Tables, operators: int) -> tuple[Sums, ...]:
    """The counters of each operator, of the jobs that no operator has, and of all jobs.

    Raises OverflowError where a counter needs more than 62 bits.
    """
    jobs, every = tables.distinct, np.zeros(len(tables.distinct.macs), np.int64)
    np.add.at(every, tables.number, _times_run(tables.flat))
    runs = np.flatnonzero(every)
    times, operator = every[runs], jobs.columns.operator[runs]
    owner = np.where(operator < 0, operators, operator)
    lanes = [(unit, kind) for unit in range(tables.flat.units) for kind in KINDS]
    occupied = _weighted(jobs.columns.occupancy_cycles[runs], times)
    columns = (
        _by_key(occupied, owner, jobs.columns.lane[runs], operators, lanes),
        _by_owner(_weighted(jobs.macs[runs], times), owner, operators),
        _by_owner(_weighted(jobs.useful_pe_cycles[runs], times), owner, operators),
        _actions(jobs, jobs.listed[runs], times, owner, operators),
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
    _add_up(values, owner, key, sums, seen)
    owners, keys = np.nonzero(seen)
    occurring, totals = [names[place] for place in keys.tolist()], sums[owners, keys].tolist()
    bounds = np.searchsorted(owners, np.arange(operators + 3)).tolist()
    return [dict(zip(occurring[start:end], totals[start:end], strict=True)) for start, end in pairwise(bounds)]


@compiled
def _add_up(values: Integers, owner: Integers, key: Integers, sums: Integers, seen: NDArray[np.bool_]) -> None:
    """Add each value to the sum of its owner and key, and to that of all owners, which is the last row."""
    for index in range(len(values)):
        for row in (owner[index], len(sums) - 1):
            sums[row, key[index]] += values[index]
            seen[row, key[index]] = True


def _actions(
    jobs: DistinctJobs, listed: Integers, times: Integers, owner: Integers, operators: int
) -> list[dict[Action, int]]:
    """How often each action happens, as in `_by_key`; actions in the order in which the Schedule first names them.

    listed: the list of actions of every job that runs; times and owner are of these jobs.
    """
    pair, job = spread(jobs.lengths, listed), np.repeat(np.arange(len(listed)), jobs.lengths[listed])
    happened = _weighted(jobs.times_each[pair], times[job])
    return _by_key(happened, owner[job], jobs.action[pair], operators, [Action(*name) for name in jobs.names])
