"""Counters of the fast engine: sums over stored jobs, each weighted by how often it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter, itemgetter

import numpy as np

from mixarray.engine.fast_flat import KINDS, stored_jobs
from mixarray.engine.fast_tables import Flat, Integers
from mixarray.engine.timeline import OperatorCounts
from mixarray.mapping.schedule import Action, Job, JobKind, Schedule

LARGEST = 2.0**62


@dataclass(frozen=True, slots=True)
class Sums:
    """Counters of a whole Schedule or of one operator; units as in `Execution`."""

    busy_cycles: Mapping[tuple[int, JobKind], int]
    macs: int
    useful_pe_cycles: int
    actions: Mapping[Action, int]


def count(schedule: Schedule, flat: Flat, spans: Integers) -> tuple[Sums, tuple[OperatorCounts, ...]]:
    """The counters of all jobs, and of those of each operator; spans[operator]: first start (-1: none), last ready.

    Raises OverflowError where a counter needs more than 64 bits.
    """
    operators = len(spans)
    times = _times_run(flat)
    runs = times > 0
    jobs = [job for job, ran in zip(stored_jobs(schedule), runs.tolist(), strict=True) if ran]
    times, operator = times[runs], flat.jobs.operator[runs]
    owner = np.where(operator < 0, operators, operator)
    busy = _busy(flat.jobs.occupancy_cycles[runs], flat.jobs.lane[runs], times, owner, operators + 1)
    macs, useful = (
        _by_owner(_column(jobs, name), times, owner, operators + 1) for name in ("macs", "useful_pe_cycles")
    )
    actions = _actions(jobs, times, owner, operators + 1)
    each = [Sums(*sums) for sums in zip(busy, macs, useful, actions, strict=True)]
    counts = tuple(
        OperatorCounts(number, max(start, 0), ready, one.busy_cycles, one.macs, one.useful_pe_cycles, one.actions)
        for number, (one, (start, ready)) in enumerate(zip(each[:operators], spans.tolist(), strict=True))
    )
    return _together(each), counts


def _times_run(flat: Flat) -> Integers:
    """How often each stored job runs, shape (stored jobs,)."""
    times = np.zeros(len(flat.jobs.lane), np.int64)
    for slots, repeat, _, body, first, last, _ in zip(*map(np.ndarray.tolist, flat.segments), strict=True):
        times[first : first + slots] += 1
        if repeat > 1:
            times[last : last + slots] += 1
        times[body : body + slots] += max(0, repeat - 2)
    return times


def _column(jobs: Sequence[Job], name: str) -> Integers:
    return np.fromiter(map(attrgetter(name), jobs), np.int64, len(jobs))


def _weighted(values: Integers, times: Integers) -> Integers:
    """values * times; OverflowError where their sum might not fit in 64 bits."""
    if np.dot(np.abs(values.astype(np.float64)), times.astype(np.float64)) >= LARGEST:
        raise OverflowError("a counter does not fit in 64 bits")
    return values * times


def _by_owner(values: Integers, times: Integers, owner: Integers, owners: int) -> list[int]:
    sums = np.zeros(owners, np.int64)
    np.add.at(sums, owner, _weighted(values, times))
    return [int(value) for value in sums]


def _grouped(weights: Integers, owner: Integers, key: Integers, owners: int, keys: int) -> list[dict[int, int]]:
    """By owner, the sum of weights for each of its keys, keys in rising order; all arrays of one shape."""
    places, inverse = np.unique(owner * keys + key, return_inverse=True)
    sums = np.zeros(len(places), np.int64)
    np.add.at(sums, inverse, weights)
    found: list[dict[int, int]] = [{} for _ in range(owners)]
    for place, total in zip(places.tolist(), sums.tolist(), strict=True):
        found[place // keys][place % keys] = total
    return found


def _busy(
    occupancy: Integers, lane: Integers, times: Integers, owner: Integers, owners: int
) -> list[dict[tuple[int, JobKind], int]]:
    kinds = len(KINDS)
    keys = int(lane.max(initial=0)) + 1
    found = _grouped(_weighted(occupancy, times), owner, lane, owners, keys)
    return [{(key // kinds, KINDS[key % kinds]): total for key, total in one.items()} for one in found]


def _actions(jobs: Sequence[Job], times: Integers, owner: Integers, owners: int) -> list[dict[Action, int]]:
    """By owner, how often each action happens; actions in the order in which the Schedule first names them."""
    pairs = list(chain.from_iterable(map(attrgetter("actions"), jobs)))
    of_job = np.repeat(
        np.arange(len(jobs)), np.fromiter(map(len, map(attrgetter("actions"), jobs)), np.int64, len(jobs))
    )
    values = np.fromiter(map(itemgetter(1), pairs), np.int64, len(pairs))
    number: dict[Action, int] = {}
    # equal actions are mostly one object, and looking up an identity is several times faster
    same = {id(action): number.setdefault(action, len(number)) for action in _distinct(pairs)}
    key = np.fromiter(map(same.__getitem__, map(id, map(itemgetter(0), pairs))), np.int64, len(pairs))
    found = _grouped(_weighted(values, times[of_job]), owner[of_job], key, owners, len(number) + 1)
    names = list(number)
    return [{names[place]: total for place, total in one.items()} for one in found]


def _distinct(pairs: Sequence[tuple[Action, int]]) -> list[Action]:
    """Every action object once."""
    return list({id(action): action for action, _ in pairs}.values())


def _together(each: Sequence[Sums]) -> Sums:
    busy: dict[tuple[int, JobKind], int] = {}
    actions: dict[Action, int] = {}
    for one in each:
        for lane, cycles in one.busy_cycles.items():
            busy[lane] = busy.get(lane, 0) + cycles
        for action, times in one.actions.items():
            actions[action] = actions.get(action, 0) + times
    return Sums(busy, sum(one.macs for one in each), sum(one.useful_pe_cycles for one in each), actions)
