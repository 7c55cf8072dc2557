"""Compiled: one walk over a Schedule, each job at the largest of the moments it waits for.

Remembered are the latest iterations of the segment at hand, in a ring, and of earlier segments the moments that a later
one may read. Where no job's times are to be kept, iterations are skipped whose times are known: see `fast_steady`.
"""

from __future__ import annotations

import numpy as np

from mixarray.compiled import compiled, compiled_inline
from mixarray.engine.fast_steady import LONGEST_PERIOD, find_steady, row_before, window
from mixarray.engine.fast_tables import ISSUED, NOWHERE, READY, STARTED, Flat, Integers, Kept, Record, Run, Ways

COMPILED_WITH = {"fast_tables.py": "2559a3e2afacd6a5", "fast_steady.py": "1aaa5a48f2cc0892"}


@compiled_inline
def _walk_iteration(run: Run, ring: Integers, row: int, segment: int, iteration: int, variant: int) -> None:
    """Run one iteration, whose stored jobs begin at `variant`, into `row` of the ring."""
    jobs, waits, ways, record = run.flat.jobs, run.flat.waits, run.ways, run.record
    slots = ring.shape[1]
    first = run.flat.segments.first_job[segment] + iteration * slots
    for place in range(variant, variant + slots):
        slot = ways.order[place]
        stored = variant + slot
        unit = jobs.unit[stored]
        start, previous = run.free[unit], run.latest[unit]
        binding, event = previous, ISSUED
        for wait in range(run.flat.wait_at[stored], run.flat.wait_at[stored + 1]):
            back = ways.least[wait]
            if back <= iteration:
                moment = ring[row_before(len(ring), row, back), ways.slot[wait], waits.event[wait]]
                other = first - back * slots + ways.slot[wait]
            else:
                entry = ways.early_at[wait] + ways.early_step[wait] * iteration
                moment, other = run.kept.cycles[entry], ways.early[entry]
            # the previous job on the unit wins a tie, then the lowest number, then the wait that is listed first
            wins = binding != previous and (other == previous or other < binding)
            if moment > start or (moment == start and wins):
                start, binding, event = moment, other, waits.event[wait]
        issued = start + jobs.occupancy_cycles[stored]
        ring[row, slot, STARTED], ring[row, slot, ISSUED] = start, issued
        ring[row, slot, READY] = issued + jobs.latency_cycles[stored]
        run.free[unit], run.latest[unit] = issued, first + slot
        if len(record.starts):
            record.starts[first + slot] = start
            record.bindings[first + slot, 0], record.bindings[first + slot, 1] = binding, event


@compiled_inline
def _note(run: Run, ring: Integers, row: int, variant: int) -> int:
    """Let the operators' spans hold the jobs of a row, those of `variant`. The latest ready time among them."""
    spans, end = run.record.spans, 0
    for slot in range(ring.shape[1]):
        start, ready, operator = (
            ring[row, slot, STARTED],
            ring[row, slot, READY],
            run.flat.jobs.operator[variant + slot],
        )
        end = max(end, ready)
        if operator >= 0:
            spans[operator, 0] = start if spans[operator, 0] < 0 else min(start, spans[operator, 0])
            spans[operator, 1] = max(ready, spans[operator, 1])
    return int(end)


@compiled_inline
def _keep(run: Run, ring: Integers, row: int, first: int, place: int) -> int:
    """Keep what later segments read of the iteration in `row`, from `place` of `kept` on; where the next one begins.

    first: the number of the iteration's first job.
    """
    kept = run.kept
    while place < len(kept.number) and kept.number[place] < first + ring.shape[1]:
        entry = kept.entry[place]
        kept.cycles[entry] = ring[row, kept.number[place] - first, run.ways.early_event[entry]]
        place += 1
    return place


@compiled_inline
def _keep_skipped(
    run: Run, ring: Integers, row: int, first: int, period: int, times: int, shift: Integers, place: int
) -> int:
    """The same for the `times` periods behind `row` that are skipped; `first` is the number of their first job."""
    kept, slots = run.kept, len(shift)
    while place < len(kept.number) and kept.number[place] < first + times * period * slots:
        entry = kept.entry[place]
        iteration, slot = divmod(kept.number[place] - first, slots)
        periods, phase = divmod(iteration, period)
        known = ring[row_before(len(ring), row, period - 1 - phase), slot, run.ways.early_event[entry]]
        kept.cycles[entry] = known + (periods + 1) * shift[slot]
        place += 1
    return place


@compiled_inline
def _move_on(run: Run, ring: Integers, row: int, segment: int, later: Integers) -> None:
    """Let every slot of the ring be `later` by so many cycles, and the units be free after the jobs in `row`."""
    for slot in range(len(later)):
        ring[:, slot, :] += later[slot]
        run.free[run.flat.jobs.unit[run.flat.segments.body[segment] + slot]] = ring[row, slot, ISSUED]


@compiled_inline
def _walk_segment(run: Run, segment: int, place: int) -> tuple[int, int]:
    """Run all iterations of a segment, keeping from `place` of `kept` on. The latest ready time, and the next place."""
    segments, compared = run.flat.segments, window(run.ways, segment)
    slots, repeat, body = segments.slots[segment], segments.repeat[segment], segments.body[segment]
    last_of_body = repeat - 1 if segments.last[segment] == body else repeat - 2
    ring = np.empty((min(repeat, compared + LONGEST_PERIOD), slots, 3), np.int64)
    shift = np.empty(slots, np.int64)
    skips = len(run.record.starts) == 0 and not run.ways.moving[segment]
    row = iteration = end = comparable = 0
    while iteration < repeat:
        next_job = segments.first_job[segment] + (iteration + 1) * slots
        variant = body
        if iteration == 0:
            variant = segments.first[segment]
        elif iteration == repeat - 1:
            variant = segments.last[segment]
        _walk_iteration(run, ring, row, segment, iteration, variant)
        end = max(end, _note(run, ring, row, variant))
        place = _keep(run, ring, row, next_job - slots, place)
        run.record.walked[segment] += 1
        comparable = comparable + 1 if variant == body else 0
        left = last_of_body - iteration
        if skips and comparable > compared and left > 0:
            period, times = find_steady(run, ring, row, segment, comparable - compared, left, shift)
            if times > 0:
                place = _keep_skipped(run, ring, row, next_job, period, times, shift, place)
                _move_on(run, ring, row, segment, times * shift)
                end = max(end, _note(run, ring, row, body))
                iteration += times * period
                comparable = compared + period
        row = row + 1 if row + 1 < len(ring) else 0
        iteration += 1
    return end, place


@compiled
def walk(flat: Flat, ways: Ways, kept: Kept, record: Record) -> int:
    """Run a Schedule, along `ways`, into `record`; its total in cycles."""
    run = Run(flat, ways, kept, record, np.zeros(flat.units, np.int64), np.full(flat.units, NOWHERE, np.int64))
    total = place = 0
    for segment in range(len(flat.segments.slots)):
        end, place = _walk_segment(run, segment, place)
        total = max(total, end)
    return total
