"""Compiled: one pass over all jobs that run, each at the largest of the moments it waits for."""

from __future__ import annotations

import numpy as np

from mixarray.compiled import compiled
from mixarray.engine.fast_tables import NOWHERE, Flat, Integers, Record, Ways

COMPILED_WITH = {"fast_tables.py": "b80ec8b4ca53f3c4"}

STARTED, ISSUED, READY = range(3)
"""Columns of moments, as in `Event`."""


@compiled
def _walk_segment(flat: Flat, ways: Ways, record: Record, latest: Integers, segment: int) -> int:
    """Run all iterations of a segment; latest[unit] is the unit's latest job so far. The latest ready time in it."""
    jobs, moments, bindings, spans = flat.jobs, record.moments, record.bindings, record.spans
    slots, repeat, body = flat.segments.slots[segment], flat.segments.repeat[segment], flat.segments.body[segment]
    end = 0
    for iteration in range(repeat):
        first = flat.segments.first_job[segment] + iteration * slots
        variant = body
        if iteration == 0:
            variant = flat.segments.first[segment]
        elif iteration == repeat - 1:
            variant = flat.segments.last[segment]
        for place in range(variant, variant + slots):
            stored, number = variant + ways.order[place], first + ways.order[place]
            previous = latest[jobs.unit[stored]]
            start = moments[previous, ISSUED] if previous >= 0 else 0
            binding, event = previous, ISSUED
            for wait in range(flat.wait_at[stored], flat.wait_at[stored + 1]):
                if iteration >= ways.least[wait]:
                    other = first + ways.offset[wait]
                else:
                    other = ways.early[ways.early_at[wait] + ways.early_step[wait] * iteration]
                if other == NOWHERE:
                    continue
                moment = moments[other, flat.waits.event[wait]]
                # the previous job on the unit wins a tie, then the lowest number, then the wait that is listed first
                wins = binding != previous and (other == previous or other < binding)
                if moment > start or (moment == start and wins):
                    start, binding, event = moment, other, flat.waits.event[wait]
            issued = start + jobs.occupancy_cycles[stored]
            ready = issued + jobs.latency_cycles[stored]
            moments[number, STARTED], moments[number, ISSUED], moments[number, READY] = start, issued, ready
            latest[jobs.unit[stored]] = number
            end = max(end, ready)
            operator = jobs.operator[stored]
            if operator >= 0:
                spans[operator, 0] = start if spans[operator, 0] < 0 else min(start, spans[operator, 0])
                spans[operator, 1] = max(ready, spans[operator, 1])
            if len(bindings):
                bindings[number, 0], bindings[number, 1] = binding, event
    return int(end)


@compiled
def walk(flat: Flat, ways: Ways, record: Record) -> int:
    """Run a Schedule, along `ways`, into `record`; its total in cycles."""
    latest = np.full(flat.units, NOWHERE, np.int64)
    total = 0
    for segment in range(len(flat.segments.slots)):
        total = max(total, _walk_segment(flat, ways, record, latest, segment))
    return total
