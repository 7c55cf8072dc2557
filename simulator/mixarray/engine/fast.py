"""The fast engine: compiled, one pass over all jobs in Schedule order, equal to the event engine in every counter.

It shares the Schedule type and nothing else with the event engine. A job's moments are known once the jobs are that it
waits for; these are earlier in Schedule order, or, in the same iteration, earlier in an order found once per stored
variant. So every job is visited once, and no clock is needed.
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from mixarray.engine.fast_counts import count
from mixarray.engine.fast_flat import KINDS, flatten, longest_cycles, stored_jobs
from mixarray.engine.fast_tables import RECENT, Flat, Integers, Record, Ways
from mixarray.engine.fast_walk import walk
from mixarray.engine.fast_ways import find_ways
from mixarray.engine.timeline import Execution, Timeline
from mixarray.errors import InputError
from mixarray.mapping.check import check_schedule
from mixarray.mapping.schedule import Schedule

LONGEST = 2.0**62
TOO_LARGE = (
    "a number of this run needs more than 62 bits, which the fast engine does not count to; take the event engine"
)


def run_fast(schedule: Schedule, operators: int, with_timeline: bool = False) -> Execution:
    """Run `schedule`, whose jobs index `operators` operators; cycles are those of the array clock.

    Needs 24 bytes per job that runs, and 150 with a timeline. Raises ScheduleError if the schedule is impossible, and
    InputError where a time or a counter needs more than 62 bits.
    """
    try:
        flat = _flat(schedule)
        highest = int(flat.jobs.operator.max(initial=-1))
        if highest >= operators:
            raise ValueError(f"a job belongs to operator {highest} of {operators}")
        total, record = _run(schedule, flat, operators, with_timeline)
        sums, counts = count(schedule, flat, record.spans)
    except OverflowError:
        raise InputError("engine", TOO_LARGE) from None
    return Execution(
        engine="fast",
        total_cycles=total,
        jobs=len(record.moments),
        busy_cycles=sums.busy_cycles,
        macs=sums.macs,
        useful_pe_cycles=sums.useful_pe_cycles,
        actions=sums.actions,
        operators=counts,
        timeline=_timeline(schedule, flat, record) if with_timeline else None,
    )


def total_cycles(schedule: Schedule) -> int:
    """The largest ready time of any job, as `run_fast` has it, and nothing else: for those who try many Schedules.

    Takes a few microseconds per stored job. Raises as `run_fast` does.
    """
    try:
        flat = _flat(schedule)
        return _run(schedule, flat, int(flat.jobs.operator.max(initial=-1)) + 1, False)[0]
    except OverflowError:
        raise InputError("engine", TOO_LARGE) from None


def _flat(schedule: Schedule) -> Flat:
    for segment in schedule.segments:
        for variant in (segment.first, segment.last):
            if variant is not None and len(variant) != len(segment.body):
                _refuse(schedule)
    return flatten(schedule)


def _run(schedule: Schedule, flat: Flat, operators: int, with_bindings: bool) -> tuple[int, Record]:
    """The total in cycles, and what the run recorded."""
    if longest_cycles(flat) >= LONGEST:
        raise OverflowError
    ways = _empty_ways(flat)
    if not find_ways(flat, ways):
        _refuse(schedule)
    jobs = schedule.total_jobs
    record = Record(
        moments=np.empty((jobs, 3), np.int64),
        bindings=np.empty((jobs if with_bindings else 0, 2), np.int64),
        spans=np.tile(np.array([-1, 0]), (operators, 1)),
    )
    return walk(flat, ways, record), record


def _empty_ways(flat: Flat) -> Ways:
    waits = len(flat.waits.sort)
    per_segment = flat.segments.slots * flat.segments.variants
    repeat = np.repeat(np.repeat(flat.segments.repeat, per_segment), np.diff(flat.wait_at))
    reached = np.minimum(repeat, flat.waits.distance)[flat.waits.sort == RECENT]
    early = np.empty(waits + int(np.maximum(reached, 0).sum()), np.int64)
    columns = np.empty((4, waits), np.int64)
    return Ways(columns[0], columns[1], columns[2], columns[3], early, np.empty(len(flat.jobs.lane), np.int64))


def _refuse(schedule: Schedule) -> NoReturn:
    """Raise the ScheduleError that names what is impossible."""
    check_schedule(schedule)
    raise RuntimeError("the fast engine finds a Schedule impossible that passes the check")


def _timeline(schedule: Schedule, flat: Flat, record: Record) -> Timeline:
    stored = _stored_of_jobs(flat, len(record.moments))
    start, issued, ready = (np.ascontiguousarray(column) for column in record.moments.T)
    binding, event = (np.ascontiguousarray(column) for column in record.bindings.T)
    return Timeline(
        unit=flat.jobs.unit[stored],
        kind=(flat.jobs.lane - flat.jobs.unit * flat.kinds)[stored],
        operator=flat.jobs.operator[stored],
        group=np.array([job.group for job in stored_jobs(schedule)], np.int64)[stored],
        start_cycles=start,
        issued_cycles=issued,
        ready_cycles=ready,
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
