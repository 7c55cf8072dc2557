"""Slices of the Perfetto file: one per job, or fewer where there are too many, with every sum kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mixarray.engine.timeline import Integers, Timeline
from mixarray.result.perfetto_details import Describer
from mixarray.result.perfetto_jobs import StoredJobs
from mixarray.trace.workload import Workload

Event = dict[str, object]


class Grain(StrEnum):
    """What a slice is; the finest one that fits the limit is taken, for all units."""

    JOB = "one slice per job"
    GAPLESS = "one slice per run of jobs of one unit, operator and kind that follow each other without a gap"
    RUN = "one slice per run of neighbouring jobs of one unit, operator and kind, gaps included"
    SEVERAL = "one slice per row of neighbouring runs of one unit, whatever their operators and kinds, gaps included"


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
    gaps = timeline.start_cycles[order][1:] != timeline.issued_cycles[order][:-1]
    for grain, cuts in ((Grain.GAPLESS, changes | gaps), (Grain.RUN, changes)):
        runs = np.concatenate([[0], np.flatnonzero(cuts) + 1])
        if len(runs) <= limit:
            return Slices(grain, order, runs)
    # every unit has at most one slice that is not full
    together = -(-len(runs) // max(1, limit - units))
    within = np.arange(len(runs)) - np.searchsorted(unit[runs], unit[runs])
    return Slices(Grain.SEVERAL, order, runs[within % together == 0])


def slice_events(slices: Slices, workload: Workload, stored: StoredJobs, timeline: Timeline) -> Iterator[Event]:
    """The slices as trace events (`X`; an instant `i` where nothing lasts), unit by unit in order of time."""
    describe = Describer(workload, stored.jobs)
    last = np.append(slices.first[1:], len(slices.order)) - 1
    starts = timeline.start_cycles[slices.order[slices.first]].tolist()
    ends = timeline.issued_cycles[slices.order[last]].tolist()
    ready = np.maximum.reduceat(timeline.ready_cycles[slices.order], slices.first).tolist()
    members = np.split(stored.index[slices.order], slices.first[1:])
    for numbers, start, end, complete in zip(members, starts, ends, ready, strict=True):
        job = stored.jobs[numbers[0]]
        name, category, duration = describe.title(job), job.kind.value, end - start
        if slices.grain is Grain.JOB:
            details = describe.of_job(job)
        else:
            several = slices.grain is Grain.SEVERAL
            times = Counter(numbers.tolist())
            details = describe.of_jobs(times, duration, complete - end, not several)
            if several:
                longest = max((stored.jobs[number] for number in times), key=lambda one: one.occupancy_cycles)
                name, category = f"{describe.title(longest)}, and {len(numbers) - 1} more", "several"
        yield {
            "name": name,
            "cat": category,
            **({"ph": "X", "ts": start, "dur": duration} if duration else {"ph": "i", "ts": start, "s": "t"}),
            "pid": 1,
            "tid": job.unit + 1,
            "args": details,
        }
