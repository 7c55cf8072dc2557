"""How full the buffers are over time, for the Perfetto file.

A Schedule says who waits for room in a buffer, not which bits lie there. So a buffer's fill is derived from what the
jobs say they read and write. What the jobs of an operator write into a buffer is one *pool*: what they load from DRAM,
or what they make there. What a job writes arrives evenly over its
cycles. When a share x of all that a pool's readers will ever read of it has been read (evenly over their cycles too),
the same share of the pool is free again: a vector operator puts results where it has taken its operands from.
Readers are

- of what was loaded: the operator's other jobs that read this buffer;
- of what was made: the operator's stores to DRAM, and if it has none (a result that stays on the chip) the jobs of the
  operators that read its result.

A pool that nobody reads is free when its operator's last result is ready. So the counter is exact where every part of
a pool is read equally often and in order, and else an even mean, which can lie above or below what the buffer holds. A
pool that is read ahead of its writers counts as empty.

Of sums the Schedule does say which ones are taken (`perfetto_sums`): the accumulator buffers need no pools.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from mixarray.accelerator.model import Accelerator
from mixarray.engine.timeline import Integers, Timeline
from mixarray.mapping.schedule import Job, JobKind, Schedule
from mixarray.result.perfetto_counters import spread
from mixarray.result.perfetto_jobs import StoredJobs
from mixarray.result.perfetto_sums import Sums
from mixarray.trace.workload import Workload

READ, WRITE = "read", "write"
ACCUMULATOR = "buffers.accumulator"
LOADS = frozenset(
    {
        JobKind.DRAM_LOAD_WEIGHT,
        JobKind.DRAM_LOAD_ACTIVATION,
        JobKind.DRAM_LOAD_PARAMETER,
    }
)
ADDING = frozenset({JobKind.STREAM, JobKind.DRAIN})
"""Jobs of an array: what they read from the accumulator buffer they write back, so their sums are the difference."""


def port_bits(accelerator: Accelerator) -> dict[str, int]:
    """Width of each buffer's port, by config path: an access moves that many bits."""
    return {
        f"buffers.{name}": getattr(accelerator.buffers, name).port_bits
        for name in type(accelerator.buffers).model_fields
    }


def capacity_bits(accelerator: Accelerator) -> dict[str, int]:
    """What each buffer holds, by config path: every array has an accumulator buffer of its own."""
    return {
        f"buffers.{name}": getattr(accelerator.buffers, name).capacity_bits * (len(accelerator.arrays) if own else 1)
        for name, own in ((name, f"buffers.{name}" == ACCUMULATOR) for name in type(accelerator.buffers).model_fields)
    }


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
    schedule: Schedule,
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
        added = _done(pool.adds, runs, timeline, edges)
        total = int(added[-1])
        if pool.reads:
            read = _done(pool.reads, runs, timeline, edges)
            every = max(1, int(read[-1]))
            freed = np.array([total * part // every for part in read.tolist()], np.int64)
        else:
            freed = np.where(edges >= pool.last, total, 0)
        found[place] += np.maximum(added - freed, 0)
    begun, read = (np.zeros(len(stored.jobs), np.int64) for _ in range(2))
    for number, job in enumerate(stored.jobs):
        for place, bits_read, bits_written in _moves(job, port_bits(accelerator)):
            if place == ACCUMULATOR:
                begun[number], read[number] = bits_written, bits_read
    found[ACCUMULATOR] = Sums(schedule, stored, timeline, begun, read).fill(last_ready, edges)
    return found


def _done(amounts: Mapping[int, int], runs: list[Integers], timeline: Timeline, edges: Integers) -> Integers:
    """Of the amounts of stored jobs, what their runs have done up to each edge; unit by unit."""
    total = np.zeros(len(edges), np.int64)
    jobs = np.concatenate([runs[job] for job in amounts])
    each = np.repeat(list(amounts.values()), [len(runs[job]) for job in amounts])
    order = np.argsort(jobs)
    jobs, each = jobs[order], each[order]
    for unit in np.unique(timeline.unit[jobs]).tolist():
        here = timeline.unit[jobs] == unit
        total += spread(jobs[here], each[here], timeline, edges)
    return total


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
            if place == ACCUMULATOR:
                continue
            kind = _Kind.LOADED if job.kind in LOADS else _Kind.MADE
            key = place, kind, job.operator
            if written:
                pools.setdefault(key, _Pool(last_ready.get(job.operator, 0))).adds[number] = written
            if read and job.kind in (JobKind.DRAM_STORE, JobKind.DRAM_STORE_COPY):
                stores[place, _Kind.MADE, job.operator][number] = read
            elif read:
                readers[place, _Kind.LOADED, job.operator][number] = read
                for maker in makers[job.operator]:
                    readers[place, _Kind.MADE, maker][number] = read
    for key, pool in pools.items():
        pool.reads = stores[key] or readers[key]
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
