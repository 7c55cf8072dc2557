"""Counters of the Perfetto file: what DRAM moves per bin of time, and how full the buffers are.

A buffer's fill is derived from what the jobs say they read and write. What the jobs of an operator write into a buffer
is one *pool*: what they load from DRAM, what they make there, or sums that they begin in the accumulator buffer. It
grows when a writing job starts. It shrinks with its readers: when a share x of all that they will ever read of it has
been read (counted when the reading job is issued), the same share of the pool is free again. Readers are

- of what was loaded: the operator's other jobs that read this buffer;
- of what was made: the operator's stores to DRAM, and if it has none (a result that stays on the chip) the jobs of the
  operators that read its result;
- of sums: stores of partial sums, and the operator's own vector jobs, or if it has none those of the operators that
  read its result.

A pool that nobody reads is free when its operator's last result is ready. So the counter is exact where every part of
a pool is read equally often and in order, and else an even mean, which can lie some tiles above what the buffer holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from mixarray.accelerator.model import Accelerator
from mixarray.engine.timeline import Integers, Timeline
from mixarray.mapping.schedule import Job, JobKind
from mixarray.result.perfetto_jobs import StoredJobs
from mixarray.trace.workload import Workload

MOST_BINS = 2000
READ, WRITE = "read", "write"
ACCUMULATOR = "buffers.accumulator"
LOADS = frozenset(
    {
        JobKind.DRAM_LOAD_WEIGHT,
        JobKind.DRAM_LOAD_ACTIVATION,
        JobKind.DRAM_LOAD_PARTIAL,
        JobKind.DRAM_LOAD_PARAMETER,
    }
)
STORES = frozenset({JobKind.DRAM_STORE, JobKind.DRAM_STORE_PARTIAL})
ADDING = frozenset({JobKind.STREAM, JobKind.DRAIN})
"""Jobs of an array: what they read from the accumulator buffer they write back, so their sums are the difference."""


def bin_cycles(total_cycles: int) -> int:
    """The length of a bin: the shortest whole number of cycles with which the run has at most MOST_BINS."""
    return max(1, -(-total_cycles // MOST_BINS))


def port_bits(accelerator: Accelerator) -> dict[str, int]:
    """Width of each buffer's port, by config path: an access moves that many bits."""
    return {
        f"buffers.{name}": getattr(accelerator.buffers, name).port_bits
        for name in type(accelerator.buffers).model_fields
    }


def moved_bits(
    unit: int, name: str, component: str, stored: StoredJobs, timeline: Timeline, edges: Integers
) -> Integers:
    """Bits that the jobs of a DRAM unit have moved (`name`: read_bits or write_bits) up to each edge, shape (edges,).

    The bits of a job are spread evenly over its cycles, rounded down; a job without cycles moves them at once.
    """
    amounts = [
        sum(n for action, n in job.actions if (action.component, action.name) == (component, name))
        for job in stored.jobs
    ]
    jobs = np.flatnonzero(timeline.unit == unit)
    bits = stored.column(amounts)[jobs]
    start, issued = timeline.start_cycles[jobs], timeline.issued_cycles[jobs]
    before = np.concatenate([[0], np.cumsum(bits)])
    done = np.searchsorted(issued, edges, side="right")
    moved = before[done].tolist()
    for place, job in enumerate(done.tolist()):
        if job < len(jobs) and start[job] < edges[place]:
            moved[place] += int(bits[job]) * int(edges[place] - start[job]) // int(issued[job] - start[job])
    return np.array(moved, np.int64)


class _Kind(StrEnum):
    LOADED = "loaded"
    MADE = "made"


@dataclass(slots=True)
class _Pool:
    """Bits that stored jobs add to it, and that they read of it; last: the last ready cycle of its operator."""

    last: int
    adds: dict[int, int] = field(default_factory=dict)
    reads: dict[int, int] = field(default_factory=dict)


def fills(
    workload: Workload,
    accelerator: Accelerator,
    stored: StoredJobs,
    timeline: Timeline,
    last_ready: Mapping[int, int],
    edges: Integers,
) -> dict[str, Integers]:
    """Bits in each buffer at each edge, by config path; last_ready: by operator. The module says what is counted."""
    pools = _pools(workload, accelerator, stored.jobs, last_ready)
    by_stored = np.argsort(stored.index, kind="stable")
    bounds = np.searchsorted(stored.index[by_stored], np.arange(len(stored.jobs) + 1))
    runs = [by_stored[bounds[job] : bounds[job + 1]] for job in range(len(stored.jobs))]
    found = {name: np.zeros(len(edges), np.int64) for name in port_bits(accelerator)}
    for (place, _, _), pool in pools.items():
        added = _at_edges(pool.adds, runs, timeline.start_cycles, edges)
        total = int(added[-1])
        if pool.reads:
            read = _at_edges(pool.reads, runs, timeline.issued_cycles, edges)
            every = max(1, int(read[-1]))
            freed = np.array([total * part // every for part in read.tolist()], np.int64)
        else:
            freed = np.where(edges >= pool.last, total, 0)
        found[place] += np.maximum(added - freed, 0)
    return found


def _at_edges(amounts: Mapping[int, int], runs: list[Integers], moments: Integers, edges: Integers) -> Integers:
    """Sum of amounts whose moment is at or before each edge."""
    steps = np.zeros(len(edges), np.int64)
    for job, amount in amounts.items():
        steps += amount * np.bincount(np.searchsorted(edges, moments[runs[job]]), minlength=len(edges))
    return np.cumsum(steps)


def _pools(
    workload: Workload, accelerator: Accelerator, jobs: tuple[Job, ...], last_ready: Mapping[int, int]
) -> dict[tuple[str, _Kind, int], _Pool]:
    widths = port_bits(accelerator)
    pools: dict[tuple[str, _Kind, int], _Pool] = {}
    readers: defaultdict[tuple[str, _Kind, int], dict[int, int]] = defaultdict(dict)
    stores: defaultdict[tuple[str, _Kind, int], dict[int, int]] = defaultdict(dict)
    makers = _makers(workload)
    for number, job in enumerate(jobs):
        for place, read, written in _moves(job, widths):
            kind = _Kind.LOADED if job.kind in LOADS and place != ACCUMULATOR else _Kind.MADE
            key = place, kind, job.operator
            if written:
                pools.setdefault(key, _Pool(last_ready.get(job.operator, 0))).adds[number] = written
            if read and job.kind in STORES:
                stores[place, _Kind.MADE, job.operator][number] = read
            elif read:
                readers[place, _Kind.LOADED, job.operator][number] = read
                for maker in makers[job.operator]:
                    readers[place, _Kind.MADE, maker][number] = read
    for key, pool in pools.items():
        pool.reads = stores[key] or readers[key]
        if key[0] == ACCUMULATOR:
            own = readers[ACCUMULATOR, _Kind.LOADED, key[2]]
            pool.reads = {**stores[key], **(own or readers[key])}
    return pools


def _moves(job: Job, widths: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """(buffer, bits read, bits written) of a job; of sums that an array adds to, only what is new."""
    for place, width in widths.items():
        counts = dict.fromkeys((READ, WRITE), 0)
        for action, times in job.actions:
            if action.component == place and action.name in counts:
                counts[action.name] += times * width
        read, written = counts[READ], counts[WRITE]
        if place == ACCUMULATOR and job.kind in ADDING:
            read, written = 0, max(0, written - read)
        if read or written:
            yield place, read, written


def _makers(workload: Workload) -> defaultdict[int, list[int]]:
    """Operator -> the operators whose results it reads."""
    of_tensor = {grouped.operator.output: number for number, grouped in enumerate(workload.operators)}
    found: defaultdict[int, list[int]] = defaultdict(list)
    for number, grouped in enumerate(workload.operators):
        tensors = dict.fromkeys(entry.tensor for entry in grouped.operator.inputs)
        found[number] = [of_tensor[tensor] for tensor in tensors if tensor in of_tensor]
    return found
