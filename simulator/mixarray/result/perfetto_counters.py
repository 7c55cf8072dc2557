"""Counters of the Perfetto file over bins of time: what DRAM moves, and how long every unit is busy."""

from __future__ import annotations

import numpy as np

from mixarray.engine.timeline import Integers, Timeline
from mixarray.result.perfetto_jobs import StoredJobs

MOST_BINS = 2000


def bin_cycles(total_cycles: int) -> int:
    """The length of a bin: the shortest whole number of cycles with which the run has at most MOST_BINS."""
    return max(1, -(-total_cycles // MOST_BINS))


def spread(jobs: Integers, amounts: Integers, timeline: Timeline, edges: Integers) -> Integers:
    """Of `amounts`, shape (jobs,), what jobs of one unit have done up to each edge, shape (edges,).

    jobs: their numbers, in the order in which the unit served them. The amount of a job is spread evenly over its
    cycles, rounded down; a job without cycles does it at once.
    """
    start, issued = timeline.start_cycles[jobs], timeline.issued_cycles[jobs]
    before = np.concatenate([[0], np.cumsum(amounts)])
    done = np.searchsorted(issued, edges, side="right")
    found = before[done].tolist()
    inside = done < len(jobs)
    inside[inside] = start[done[inside]] < edges[inside]
    for place in np.flatnonzero(inside).tolist():
        job = done[place]  # in Python's integers: the product may need more than 64 bits
        past, cycles = int(edges[place] - start[job]), int(issued[job] - start[job])
        found[place] += int(amounts[job]) * past // cycles
    return np.array(found, np.int64)


def moved_bits(
    unit: int, name: str, component: str, stored: StoredJobs, timeline: Timeline, edges: Integers
) -> Integers:
    """Bits that the jobs of a DRAM unit have moved up to each edge, shape (edges,); name: read_bits or write_bits."""
    amounts = [
        sum(n for action, n in job.actions if (action.component, action.name) == (component, name))
        for job in stored.jobs
    ]
    jobs = np.flatnonzero(timeline.unit == unit)
    return spread(jobs, stored.column(amounts)[jobs], timeline, edges)


def busy_cycles(unit: int, timeline: Timeline, edges: Integers) -> Integers:
    """Cycles in which a unit was taken up to each edge, shape (edges,)."""
    jobs = np.flatnonzero(timeline.unit == unit)
    return spread(jobs, timeline.issued_cycles[jobs] - timeline.start_cycles[jobs], timeline, edges)
