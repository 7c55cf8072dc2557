"""The fast engine: compiled, one pass over the jobs in Schedule order, equal to the event engine in every counter.

It shares the Schedule type and nothing else with the event engine. A job's moments are known once the jobs are that it
waits for; these are earlier in Schedule order, or, in the same iteration, earlier in an order found once per stored
variant. So every job is visited once, and no clock is needed. Without a timeline, iterations whose times follow from
those before are not visited at all: `fast_steady`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import numpy as np

from mixarray.engine.fast_counts import Sums, count
from mixarray.engine.fast_tables import NOWHERE, Kept, Record, Ways
from mixarray.engine.fast_walk import walk
from mixarray.engine.fast_ways import find_ways
from mixarray.engine.timeline import Execution, OperatorCounts, Timeline
from mixarray.errors import InputError
from mixarray.mapping.check import check_schedule
from mixarray.mapping.schedule import Schedule
from mixarray.mapping.schedule_tables import RECENT, Flat, Integers, Tables
from mixarray.mapping.tabulate import KINDS, LARGEST, has_fitting_variants, make_flat, make_tables

Made = TypeVar("Made")
TOO_LARGE = (
    "a number of this run needs more than 62 bits, which the fast engine does not count to; take the event engine"
)


@dataclass(frozen=True, slots=True)
class Ready:
    """What a walk needs. early: the entries of `ways.early` that there are."""

    flat: Flat
    ways: Ways
    early: Integers


@dataclass(frozen=True, slots=True)
class Prepared:
    """A Schedule with all of its run that does not depend on time: tables, addresses of waits, counters.

    sums: of each operator, of jobs without one, of all jobs.
    """

    tables: Tables
    ready: Ready
    sums: tuple[Sums, ...]


def run_fast(schedule: Schedule, operators: int, with_timeline: bool = False) -> Execution:
    """Run `schedule`, whose jobs index `operators` operators; cycles are those of the array clock.

    Memory grows with stored jobs and with what one segment reads of others; with a timeline, by 100 bytes per job that
    runs. Raises ScheduleError if the schedule is impossible, and InputError where a time or a counter needs more than
    62 bits.
    """
    return run_prepared(prepare(schedule, operators), with_timeline)


def prepare(schedule: Schedule, operators: int) -> Prepared:
    """What `run_prepared` needs, made once for any number of runs; most of it is there if the Schedule has its tables.

    Raises as `run_fast` does.
    """
    tables = schedule.tables or _made(schedule, make_tables)
    ready = _ready(schedule, tables.flat)
    highest = int(tables.distinct.columns.operator.max(initial=-1))
    if highest >= operators:
        raise ValueError(f"a job belongs to operator {highest} of {operators}")
    try:
        return Prepared(tables, ready, count(tables, operators))
    except OverflowError:
        raise InputError("engine", TOO_LARGE) from None


def run_prepared(prepared: Prepared, with_timeline: bool = False) -> Execution:
    """Run a prepared Schedule: as `run_fast`, which prepares it first."""
    *each, _, total = prepared.sums
    segments = prepared.tables.flat.segments
    jobs = int(np.dot(segments.slots, segments.repeat))
    total_cycles, record = _walk(prepared.ready, len(each), jobs if with_timeline else 0)
    return Execution(
        engine="fast",
        total_cycles=total_cycles,
        jobs=jobs,
        busy_cycles=total.busy_cycles,
        macs=total.macs,
        useful_pe_cycles=total.useful_pe_cycles,
        actions=total.actions,
        operators=tuple(
            OperatorCounts(number, max(start, 0), ready, one.busy_cycles, one.macs, one.useful_pe_cycles, one.actions)
            for number, (one, (start, ready)) in enumerate(zip(each, record.spans.tolist(), strict=True))
        ),
        timeline=_timeline(prepared, record) if with_timeline else None,
    )


def total_cycles(schedule: Schedule) -> int:
    """The largest ready time of any job, as `run_fast` has it, and nothing else: for those who try many Schedules.

    Takes a few microseconds per stored job. Raises as `run_fast` does.
    """
    return _walk_alone(schedule)[0]


def walked_jobs(schedule: Schedule) -> int:
    """Jobs that a run without a timeline visits one by one; the times of all others follow from theirs."""
    _, record = _walk_alone(schedule)
    return int(np.dot(record.walked, [len(segment.body) for segment in schedule.segments]))


def _walk_alone(schedule: Schedule) -> tuple[int, Record]:
    flat = schedule.tables.flat if schedule.tables else _made(schedule, make_flat)
    return _walk(_ready(schedule, flat), int(flat.jobs.operator.max(initial=-1)) + 1, 0)


def _made(schedule: Schedule, make: Callable[[Schedule], Made]) -> Made:
    if not has_fitting_variants(schedule):
        _refuse(schedule)
    try:
        return make(schedule)
    except OverflowError:
        raise InputError("engine", TOO_LARGE) from None


def _ready(schedule: Schedule, flat: Flat) -> Ready:
    if _longest_cycles(flat) >= LARGEST:
        raise InputError("engine", TOO_LARGE)
    ways = _empty_ways(flat)
    entries = find_ways(flat, ways)
    if entries == NOWHERE:
        _refuse(schedule)
    return Ready(flat, ways, ways.early[:entries])


def _longest_cycles(flat: Flat) -> float:
    """All durations one after the other, each as often as its segment repeats: no run is longer."""
    per_segment = flat.segments.slots * flat.segments.variants
    repeat = np.repeat(flat.segments.repeat, per_segment).astype(np.float64)
    durations = flat.jobs.occupancy_cycles.astype(np.float64) + flat.jobs.latency_cycles
    return float(np.dot(repeat, durations))


def _walk(ready: Ready, operators: int, timeline_jobs: int) -> tuple[int, Record]:
    """The total in cycles, and what the run recorded; timeline_jobs: all of them, or 0 where no times are kept."""
    record = Record(
        starts=np.empty(timeline_jobs, np.int64),
        bindings=np.empty((timeline_jobs, 2), np.int64),
        spans=np.tile(np.array([-1, 0]), (operators, 1)),
        walked=np.zeros(len(ready.flat.segments.slots), np.int64),
    )
    return walk(ready.flat, ready.ways, _nothing_kept(ready.early), record), record


def _empty_ways(flat: Flat) -> Ways:
    waits, segments = len(flat.waits.sort), len(flat.segments.slots)
    per_segment = flat.segments.slots * flat.segments.variants
    repeat = np.repeat(np.repeat(flat.segments.repeat, per_segment), np.diff(flat.wait_at))
    reached = np.minimum(repeat, flat.waits.distance)[flat.waits.sort == RECENT]
    early = np.empty((2, waits + int(np.maximum(reached, 0).sum())), np.int64)
    columns, order = np.empty((4, waits), np.int64), np.empty(len(flat.jobs.lane), np.int64)
    reach, moving = np.zeros((2, segments), np.int64)
    return Ways(columns[0], columns[1], columns[2], columns[3], early[0], early[1], order, reach, moving)


def _nothing_kept(early: Integers) -> Kept:
    named = np.flatnonzero(early != NOWHERE)
    entry = named[np.argsort(early[named], kind="stable")]
    return Kept(entry, early[entry], np.full(len(early), -1))


def _refuse(schedule: Schedule) -> NoReturn:
    """Raise the ScheduleError that names what is impossible."""
    check_schedule(schedule)
    raise RuntimeError("the fast engine finds a Schedule impossible that passes the check")


def _timeline(prepared: Prepared, record: Record) -> Timeline:
    flat = prepared.tables.flat
    stored = _stored_of_jobs(flat, len(record.starts))
    issued = record.starts + flat.jobs.occupancy_cycles[stored]
    binding, event = (np.ascontiguousarray(column) for column in record.bindings.T)
    return Timeline(
        unit=flat.jobs.unit[stored],
        kind=(flat.jobs.lane - flat.jobs.unit * flat.kinds)[stored],
        operator=flat.jobs.operator[stored],
        group=prepared.tables.distinct.group[prepared.tables.number[stored]],
        start_cycles=record.starts,
        issued_cycles=issued,
        ready_cycles=issued + flat.jobs.latency_cycles[stored],
        binding=binding,
        binding_event=event,
        kinds=KINDS,
    )


def _stored_of_jobs(flat: Flat, jobs: int) -> Integers:
    """The stored job that each job is a run of, shape (jobs,)."""
    stored = np.empty(jobs, np.int64)
    for slots, repeat, _, body, first, last, first_job in zip(*map(np.ndarray.tolist, flat.segments), strict=True):
        iterations = stored[first_job : first_job + slots * repeat].reshape(repeat, slots)
        starts = np.full(repeat, body)
        starts[-1] = last
        starts[0] = first  # the only iteration is the first one
        iterations[:] = starts[:, None] + np.arange(slots)
    return stored
