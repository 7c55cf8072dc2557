"""Compiled: where the jobs stand that others wait for, found once per stored job; and whether that can work at all.

Jobs are numbered in Schedule order: job `slot` of an iteration of n jobs is number `first + iteration * n + slot`. What
a job waits for in its own segment lies a fixed number of iterations back. `Recent` needs the jobs of a
lane (a unit and a kind) in order; they are kept as *chunks*, the lane's jobs in one segment.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mixarray.compiled import compiled, compiled_inline
from mixarray.engine.fast_tables import NEVER, NOWHERE, Ways
from mixarray.mapping.schedule_tables import BACK, FINAL, RECENT, Flat, Integers

COMPILED_WITH = {"mapping/schedule_tables.py": "c66820e1d710ac68", "engine/fast_tables.py": "51f04afbcdc1dbd0"}


class _Lanes(NamedTuple):
    """before[chunk]: jobs of its lane in earlier segments. per_iteration: those in one iteration, at slots[slots_at :].
    earlier: the chunk before. chunk_of[lane]: the latest chunk. jobs_before[lane]: jobs in earlier segments.
    seen[lane]: jobs so far in the iteration at hand.
    """

    before: Integers
    per_iteration: Integers
    earlier: Integers
    segment: Integers
    slots_at: Integers
    slots: Integers
    chunk_of: Integers
    jobs_before: Integers
    seen: Integers


@compiled_inline
def _possible(flat: Flat) -> bool:
    """Whether every job and wait of every variant exists; waits in a circle are found by `_sort`."""
    segments, jobs, waits = flat.segments, flat.jobs, flat.waits
    for segment in range(len(segments.slots)):
        slots, body = segments.slots[segment], segments.body[segment]
        if slots < 1 or segments.repeat[segment] < 1:
            return False
        for job in range(body, body + slots * segments.variants[segment]):
            slot = (job - body) % slots
            if jobs.lane[job] != jobs.lane[body + slot] or not 0 <= jobs.unit[job] < flat.units:
                return False
            if jobs.occupancy_cycles[job] < 0 or jobs.latency_cycles[job] < 0:
                return False
            for wait in range(flat.wait_at[job], flat.wait_at[job + 1]):
                sort, where, which, distance = (
                    waits.sort[wait],
                    waits.where[wait],
                    waits.which[wait],
                    waits.distance[wait],
                )
                if sort == BACK:
                    exists = 0 <= which < slots and distance >= 0 and not (distance == 0 and which == slot)
                elif sort == RECENT:
                    exists = 0 <= where < flat.units and distance >= 1
                else:
                    exists = 0 <= where < segment and 0 <= which < segments.slots[where]
                if not exists:
                    return False
    return True


@compiled_inline
def _add_chunks(flat: Flat, lanes: _Lanes, segment: int, made: int, slots_at: int) -> int:
    """Append the chunks of a segment to the `made` there are; how many there are then."""
    slots, body, lane_of = flat.segments.slots[segment], flat.segments.body[segment], flat.jobs.lane
    chunk_of, per_iteration, places = lanes.chunk_of, lanes.per_iteration, lanes.slots_at
    first = made
    for job in range(body, body + slots):
        lane = lane_of[job]
        if chunk_of[lane] < first:
            lanes.before[made], per_iteration[made] = lanes.jobs_before[lane], 0
            lanes.earlier[made], lanes.segment[made] = chunk_of[lane], segment
            chunk_of[lane] = made
            made += 1
        per_iteration[chunk_of[lane]] += 1
    for chunk in range(first, made):
        places[chunk] = slots_at
        slots_at += per_iteration[chunk]
        per_iteration[chunk] = 0
    for slot in range(slots):
        chunk = chunk_of[lane_of[body + slot]]
        lanes.slots[places[chunk] + per_iteration[chunk]] = slot
        per_iteration[chunk] += 1
    return made


@compiled_inline
def _job_of_lane(flat: Flat, lanes: _Lanes, chunk: int, index: int) -> int:
    """The number of the lane's job `index`, which is no later than `chunk`; NOWHERE if it is negative."""
    if index < 0 or chunk < 0:
        return NOWHERE
    while index < lanes.before[chunk]:
        chunk = lanes.earlier[chunk]
    iteration, place = divmod(index - lanes.before[chunk], lanes.per_iteration[chunk])
    segment = lanes.segment[chunk]
    slot = lanes.slots[lanes.slots_at[chunk] + place]
    return int(flat.segments.first_job[segment] + iteration * flat.segments.slots[segment] + slot)


@compiled_inline
def _resolve(
    flat: Flat, lanes: _Lanes, ways: Ways, segment: int, first_chunk: int, variant: int, early_end: int
) -> int:
    """Fill `ways` for the waits of the variant whose first stored job is `variant`.

    first_chunk: the first one of the segment. early_end: entries of `ways.early` so far; returned: then.
    """
    slots_of, repeat_of, first_job = flat.segments.slots, flat.segments.repeat, flat.segments.first_job
    lane_of, wait_at, waits, events = flat.jobs.lane, flat.wait_at, flat.waits, flat.waits.event
    sorts, wheres, whiches, distances = waits.sort, waits.where, waits.which, waits.distance
    least, target, early_at, early_step = ways.least, ways.slot, ways.early_at, ways.early_step
    early, early_event = ways.early, ways.early_event
    chunk_of, jobs_before, seen = lanes.chunk_of, lanes.jobs_before, lanes.seen
    jobs_per_iteration, lane_slots_at, lane_slots = lanes.per_iteration, lanes.slots_at, lanes.slots
    slots, repeat = slots_of[segment], repeat_of[segment]
    for job in range(variant, variant + slots):
        seen[lane_of[job]] = 0
    for job in range(variant, variant + slots):
        for wait in range(wait_at[job], wait_at[job + 1]):
            where, which, distance = wheres[wait], whiches[wait], distances[wait]
            least[wait], early_at[wait], early_step[wait] = NEVER, early_end, 0
            early[early_end] = NOWHERE
            entries = 1
            if sorts[wait] == BACK and distance < repeat:
                least[wait], target[wait] = distance, which
            elif sorts[wait] == FINAL:
                early[early_end] = first_job[where] + (repeat_of[where] - 1) * slots_of[where] + which
            elif sorts[wait] == RECENT:
                lane = where * flat.kinds + which
                chunk = int(chunk_of[lane])
                if chunk < first_chunk:  # this segment has none: the same job for every iteration
                    last = int(jobs_before[lane] - distance)
                    early[early_end] = _job_of_lane(flat, lanes, chunk, last)
                else:
                    place, per_iteration = int(seen[lane] - distance), jobs_per_iteration[chunk]
                    iterations = 0 if place >= 0 else -(place // per_iteration)
                    early_step[wait] = 1
                    for iteration in range(min(iterations, repeat)):
                        index = int(jobs_before[lane] + place + per_iteration * iteration)
                        early[early_end + iteration] = _job_of_lane(flat, lanes, chunk, index)
                        entries = iteration + 1
                    if iterations < repeat:
                        least[wait] = iterations
                        target[wait] = lane_slots[lane_slots_at[chunk] + place + iterations * per_iteration]
            early_event[early_end : early_end + entries] = events[wait]
            early_end += entries
        seen[lane_of[job]] += 1
    return early_end


@compiled_inline
def _survey(flat: Flat, ways: Ways, segment: int) -> None:
    """Fill in how far the waits of a segment go back, and whether one of its body reads on in earlier segments."""
    slots, body, wait_at = flat.segments.slots[segment], flat.segments.body[segment], flat.wait_at
    reach = moving = 0
    for job in range(body, body + slots * flat.segments.variants[segment]):
        for wait in range(wait_at[job], wait_at[job + 1]):
            least = ways.least[wait]
            if least != NEVER:
                reach = max(reach, least)
            elif job < body + slots and ways.early_step[wait]:
                moving = 1
    ways.reach[segment], ways.moving[segment] = reach, moving


@compiled_inline
def _sort(flat: Flat, ways: Ways, variant: int, slots: int) -> bool:
    """An order of the slots of the variant whose first stored job is `variant`; False if they wait in a circle.

    Schedule order where it serves; else what waits for a later slot is passed over until that one has its place, and
    with it the later slots of its unit.
    """
    unit_of, wait_at, least, slot_of, order = flat.jobs.unit, flat.wait_at, ways.least, ways.slot, ways.order
    ahead = False
    for slot in range(slots):
        order[variant + slot] = slot
        for wait in range(wait_at[variant + slot], wait_at[variant + slot + 1]):
            ahead = ahead or (least[wait] == 0 and slot_of[wait] >= slot)
    if not ahead:
        return True
    placed = np.zeros(slots, np.bool_)
    done = 0
    while done < slots:
        before = done
        held = np.zeros(flat.units, np.bool_)
        for slot in range(slots):
            job = variant + slot
            if placed[slot]:
                continue
            hold = held[unit_of[job]]
            for wait in range(wait_at[job], wait_at[job + 1]):
                hold = hold or (least[wait] == 0 and not placed[slot_of[wait]])
            if hold:
                held[unit_of[job]] = True
            else:
                placed[slot] = True
                order[variant + done] = slot
                done += 1
        if done == before:
            return False
    return True


@compiled
def find_ways(flat: Flat, ways: Ways) -> int:
    """Fill `ways`; how many entries of `ways.early` there are, or NOWHERE if the Schedule is impossible.

    `ways.early` needs one entry per wait, and one more per iteration in which a `Recent` reads before its segment.
    """
    if not _possible(flat):
        return NOWHERE
    stored, lane_count = len(flat.jobs.lane), flat.units * flat.kinds
    lanes = _Lanes(
        np.empty(stored, np.int64),
        np.empty(stored, np.int64),
        np.empty(stored, np.int64),
        np.empty(stored, np.int64),
        np.empty(stored, np.int64),
        np.empty(stored, np.int64),
        np.full(lane_count, NOWHERE, np.int64),
        np.zeros(lane_count, np.int64),
        np.zeros(lane_count, np.int64),
    )
    made = slots_at = early_end = 0
    for segment in range(len(flat.segments.slots)):
        slots, body = flat.segments.slots[segment], flat.segments.body[segment]
        first_chunk = made
        made = _add_chunks(flat, lanes, segment, made, slots_at)
        slots_at += slots
        for variant in range(body, body + slots * flat.segments.variants[segment], slots):
            early_end = _resolve(flat, lanes, ways, segment, first_chunk, variant, early_end)
            if not _sort(flat, ways, variant, slots):
                return NOWHERE
        _survey(flat, ways, segment)
        for job in range(body, body + slots):
            lanes.jobs_before[flat.jobs.lane[job]] += flat.segments.repeat[segment]
    return int(early_end)
