"""Slices of the Perfetto file: one per job, or fewer where there are too many, with every sum kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mixarray.engine.timeline import Integers, Timeline
from mixarray.mapping.schedule import Job, Schedule
from mixarray.result.perfetto_jobs import StoredJobs
from mixarray.trace.model import RowsPer, Variation
from mixarray.trace.workload import Workload

Event = dict[str, object]


class Grain(StrEnum):
    """What a slice is; the finest one that fits the limit is taken, for all units."""

    JOB = "one slice per job"
    RUN = "one slice per run of neighbouring jobs of one unit, operator and kind"
    SEVERAL = "one slice per row of neighbouring runs of one unit, whatever their operators and kinds"


@dataclass(frozen=True, slots=True)
class Slices:
    """Jobs in groups that follow each other on a unit.

    order: job numbers, unit by unit, in the order in which each unit served them. first: where in `order` each slice
    begins, shape (slices,).
    """

    grain: Grain
    order: Integers
    first: Integers


def divide(timeline: Timeline, units: int, limit: int) -> Slices:
    """Put the jobs into at most `limit` slices; `limit` is at least the number of units."""
    order = np.argsort(timeline.unit, kind="stable")
    jobs = len(order)
    if jobs <= limit:
        return Slices(Grain.JOB, order, np.arange(jobs))
    unit = timeline.unit[order]
    changes = np.diff(unit) != 0
    for column in (timeline.operator, timeline.kind):
        changes = changes | (np.diff(column[order]) != 0)
    runs = np.concatenate([[0], np.flatnonzero(changes) + 1])
    if len(runs) <= limit:
        return Slices(Grain.RUN, order, runs)
    # every unit has at most one slice that is not full
    together = -(-len(runs) // max(1, limit - units))
    within = np.arange(len(runs)) - np.searchsorted(unit[runs], unit[runs])
    return Slices(Grain.SEVERAL, order, runs[within % together == 0])


def slice_events(
    slices: Slices, schedule: Schedule, workload: Workload, stored: StoredJobs, timeline: Timeline
) -> Iterator[Event]:
    """The slices as trace events (`X`; an instant `i` where nothing lasts), unit by unit in order of time."""
    windows = _windows(workload)
    names = [grouped.operator.name for grouped in workload.operators]
    ends = np.append(slices.first[1:], len(slices.order)).tolist()
    starts, issued = timeline.start_cycles, timeline.issued_cycles
    for first, end in zip(slices.first.tolist(), ends, strict=True):
        members = slices.order[first:end].tolist()
        jobs = [stored.jobs[stored.index[number]] for number in members]
        start, duration = int(starts[members[0]]), int(issued[members[-1]] - starts[members[0]])
        if slices.grain is Grain.JOB:
            name, details = _title(jobs[0], names), _job_details(jobs[0], windows, workload)
        elif slices.grain is Grain.RUN:
            name, details = _title(jobs[0], names), _sums(jobs)
        else:
            longest = max(jobs, key=lambda job: job.occupancy_cycles)
            name = f"{_title(longest, names)}, and {len(jobs) - 1} more"
            details = {**_sums(jobs), "busy_cycles_by_kind": _busy_by_kind(jobs)}
        yield {
            "name": name,
            "cat": jobs[0].kind.value if slices.grain is not Grain.SEVERAL else "several",
            **({"ph": "X", "ts": start, "dur": duration} if duration else {"ph": "i", "ts": start, "s": "t"}),
            "pid": 1,
            "tid": jobs[0].unit + 1,
            "args": details,
        }


def _title(job: Job, names: Sequence[str]) -> str:
    return f"{names[job.operator]}: {job.kind}" if job.operator >= 0 else job.kind.value


def _job_details(job: Job, windows: dict[tuple[int, int], int], workload: Workload) -> Event:
    """What is known of one job, nothing made up: a job of no group has none, one that multiplies nothing no bits."""
    details: Event = {"latency_cycles": job.latency_cycles}
    if job.operator >= 0 and job.group >= 0:
        details["group"] = job.group
        details["group_bits"] = workload.operators[job.operator].groups[job.group].bits
        if (job.operator, job.group) in windows:
            details["group_windows"] = windows[job.operator, job.group]
    if job.macs:
        details["macs"] = job.macs
    modes = dict.fromkeys(f"{stream}x{stationary}" for stream, stationary in (p.mode_bits for p in job.products))
    if modes:
        details["bits"] = ", ".join(modes)
    return details


def _sums(jobs: Sequence[Job]) -> Event:
    return {
        "jobs": len(jobs),
        "busy_cycles": sum(job.occupancy_cycles for job in jobs),
        "macs": sum(job.macs for job in jobs),
    }


def _busy_by_kind(jobs: Sequence[Job]) -> dict[str, int]:
    busy: dict[str, int] = {}
    for job in jobs:
        busy[job.kind.value] = busy.get(job.kind.value, 0) + job.occupancy_cycles
    return busy


def _windows(workload: Workload) -> dict[tuple[int, int], int]:
    """(operator, group) -> windows, for operators that run on whole windows, and their block's others of equal bits."""
    of_block: dict[tuple[int, int, int], int] = {}
    for grouped in workload.operators:
        op = grouped.operator
        if op.variation is Variation.ROW and op.rows_per is RowsPer.WINDOW:
            for group in grouped.groups:
                of_block[op.stage, op.block, group.bits] = group.rows // workload.window_rows
    found: dict[tuple[int, int], int] = {}
    for number, grouped in enumerate(workload.operators):
        for index, group in enumerate(grouped.groups):
            key = grouped.operator.stage, grouped.operator.block, group.bits
            if key in of_block:
                found[number, index] = of_block[key]
    return found
