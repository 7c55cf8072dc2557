"""Compiled: one walk over a Schedule, each job at the largest of the moments it waits for.

Remembered are the latest iterations of the segment at hand, in a ring, and of earlier segments the moments that a later
one may read. Where no job's times are to be kept, iterations are skipped whose times are known: see `fast_steady`.
"""

from __future__ import annotations

import numpy as np

from mixarray.compiled import compiled, compiled_inline
from mixarray.engine.fast_steady import LONGEST_PERIOD, find_steady, row_before, window
from mixarray.engine.fast_tables import ISSUED, NOWHERE, READY, STARTED, Kept, Record, Run, Ways
from mixarray.mapping.schedule_tables import Flat, Integers

COMPILED_WITH = {
    "mapping/schedule_tables.py": "c66820e1d710ac68",
    "engine/fast_tables.py": "51f04afbcdc1dbd0",
    "engine/fast_steady.py": "ad01b1423d0ca7a2",
}


@compiled_inline
def _walk_iteration(run: Run, ring: Integers, row: int, segment: int, iteration: int, variant: int) -> None:
    """Run one iteration, whose stored jobs begin at `variant`, into `row` of the ring."""
    unit_of, occupancy, latency = run.flat.jobs.unit, run.flat.jobs.occupancy_cycles, run.flat.jobs.latency_cycles
    wait_at, event_of, least, slot_of = run.flat.wait_at, run.flat.waits.event, run.ways.least, run.ways.slot
    early_at, early_step, early, order = run.ways.early_at, run.ways.early_step, run.ways.early, run.ways.order
    cycles, starts, bindings = run.kept.cycles, run.record.starts, run.record.bindings
    free, latest, slots = run.free, run.latest, ring.shape[1]
    first = run.flat.segments.first_job[segment] + iteration * slots
    for place in range(variant, variant + slots):
        slot = order[place]
        stored = variant + slot
        unit = unit_of[stored]
        start, previous = free[unit], latest[unit]
        binding, event = previous, ISSUED
        for wait in range(wait_at[stored], wait_at[stored + 1]):
            back = least[wait]
            if back <= iteration:
                moment = ring[row_before(len(ring), row, back), slot_of[wait], event_of[wait]]
                other = first - back * slots + slot_of[wait]
            else:
                entry = early_at[wait] + early_step[wait] * iteration
                moment, other = cycles[entry], early[entry]
            # the previous job on the unit wins a tie, then the lowest number, then the wait that is listed first
            wins = binding != previous and (other == previous or other < binding)
            if moment > start or (moment == start and wins):
                start, binding, event = moment, other, event_of[wait]
        issued = start + occupancy[stored]
        ring[row, slot, STARTED], ring[row, slot, ISSUED] = start, issued
        ring[row, slot, READY] = issued + latency[stored]
        free[unit], latest[unit] = issued, first + slot
        if len(starts):
            starts[first + slot] = start
            bindings[first + slot, 0], bindings[first + slot, 1] = binding, event


@compiled_inline
def _note(run: Run, ring: Integers, row: int, variant: int) -> int:
    """Let the operators' spans hold the jobs of a row, those of `variant`. The latest ready time among them."""
    spans, operator_of, end = run.record.spans, run.flat.jobs.operator, 0
    for slot in range(ring.shape[1]):
        start, ready, operator = ring[row, slot, STARTED], ring[row, slot, READY], operator_of[variant + slot]
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
    numbers, entries, cycles, events = run.kept.number, run.kept.entry, run.kept.cycles, run.ways.early_event
    while place < len(numbers) and numbers[place] < first + ring.shape[1]:
        entry = entries[place]
        cycles[entry] = ring[row, numbers[place] - first, events[entry]]
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
    first_variant, last_variant, first_job = (
        segments.first[segment],
        segments.last[segment],
        segments.first_job[segment],
    )
    last_of_body = repeat - 1 if last_variant == body else repeat - 2
    ring = np.empty((min(repeat, compared + LONGEST_PERIOD), slots, 3), np.int64)
    shift = np.empty(slots, np.int64)
    skips = len(run.record.starts) == 0 and not run.ways.moving[segment]
    row = iteration = end = comparable = walked = 0
    while iteration < repeat:
        next_job = first_job + (iteration + 1) * slots
        variant = body
        if iteration == 0:
            variant = first_variant
        elif iteration == repeat - 1:
            variant = last_variant
        _walk_iteration(run, ring, row, segment, iteration, variant)
        end = max(end, _note(run, ring, row, variant))
        place = _keep(run, ring, row, next_job - slots, place)
        walked += 1
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
    run.record.walked[segment] = walked
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
