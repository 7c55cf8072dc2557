"""A piece of a Schedule as a max-plus matrix, and pieces behind one another as a product (compiled).

Every job starts at the largest of some earlier moments, so each moment behind a piece is the largest of the moments
before it, each plus the longest way of jobs between the two: `behind[i] = max over j of before[j] + matrix[i, j]`.
Walking the piece once with a row of such ways for every job gives the matrix; no moment before it has to be known.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixarray.compiled import compiled

Integers = NDArray[np.int64]

NEVER = -(2**60)
"""The way between moments that do not depend on each other."""
RECENT, EXACT = range(2)
"""Sorts of waits: for a job of a lane by distance, and for a job by number."""
STARTED, ISSUED, READY = range(3)
"""Events of jobs, as in `Event`."""


class Walk(NamedTuple):
    """A piece as tables.

    known: of each stand-in the place of its moments in the vector, by event, NEVER if nobody may ask. segments: (first
    slot, slots, repeat). slots: the job in each, the stand-ins first. jobs: (unit, lane, task, first wait, end of
    waits) of distinct ones; how long tasks take is no part of it. waits: (sort, lane or job number, distance, event).
    lane_at: where the jobs of each lane begin among all that run, in the order of lanes. moments: (row, lane, place in
    the lane, event) of the rows wanted beside those of units and of the end.
    """

    known: Integers
    segments: Integers
    slots: Integers
    jobs: Integers
    waits: Integers
    lane_at: Integers
    moments: Integers


class _Done(NamedTuple):
    """What has been walked. starts: rows of ways, first those to the moments before the piece, then to the start of
    every job. later: of every job how much later than its start its events are. in_lane: the jobs of all lanes in
    order; lanes: how many there are in each.
    """

    starts: Integers
    later: Integers
    in_lane: Integers
    lanes: Integers


@compiled
def _walk_all(walk: Walk, done: _Done, lengths: Integers, matrix: Integers) -> bool:
    """Walk every job; the first rows of the matrix become those of the end and of the units. False where a wait is not
    known.

    In one piece, its tables taken out first: handing them to a function for every job would take 200 times as long.
    """
    known, slots, jobs, waits, lane_at = walk.known, walk.slots, walk.jobs, walk.waits, walk.lane_at
    starts, later, in_lane, lanes = done.starts, done.later, done.in_lane, done.lanes
    stand_ins, places, number = len(known), starts.shape[1], 0
    for segment in range(len(walk.segments)):
        first, end = walk.segments[segment, 0], walk.segments[segment, 0] + walk.segments[segment, 1]
        for _ in range(walk.segments[segment, 2]):
            for slot in range(first, end):
                job = slots[slot]
                lane = jobs[job, 1]
                if segment > 0:  # the first holds the stand-ins
                    free, task, row = 1 + jobs[job, 0], jobs[job, 2], places + number
                    for place in range(places):
                        starts[row, place] = matrix[free, place]
                    for wait in range(jobs[job, 3], jobs[job, 4]):
                        other, event = waits[wait, 1], waits[wait, 3]
                        if waits[wait, 0] == RECENT:
                            if other < 0 or waits[wait, 2] > lanes[other]:
                                return False
                            other = in_lane[lane_at[other] + lanes[other] - waits[wait, 2]]
                        source = known[other, event] if other < stand_ins else places + other
                        if source == NEVER:
                            return False
                        more = later[other, event]
                        for place in range(places):
                            starts[row, place] = max(starts[row, place], starts[source, place] + more)
                    later[number, ISSUED] = lengths[task, 0]
                    later[number, READY] = lengths[task, 0] + lengths[task, 1]
                    for place in range(places):
                        matrix[free, place] = starts[row, place] + later[number, ISSUED]
                        matrix[0, place] = max(matrix[0, place], starts[row, place] + later[number, READY])
                in_lane[lane_at[lane] + lanes[lane]] = number
                lanes[lane] += 1
                number += 1
    return True


@compiled
def ways(walk: Walk, lengths: Integers, units: int, rows: int, columns: int) -> tuple[bool, Integers]:
    """The matrix (rows, columns) of a piece: row and column 0 are the end, those behind it the units.

    lengths: (occupancy, latency) of every task. False where a job waits for something before the piece that is no place
    of the vector.
    """
    jobs = (walk.segments[:, 1] * walk.segments[:, 2]).sum()
    done = _Done(
        np.full((columns + jobs, columns), NEVER, np.int64),
        np.zeros((jobs, 3), np.int64),
        np.empty(jobs, np.int64),
        np.zeros(len(walk.lane_at), np.int64),
    )
    for place in range(columns):
        done.starts[place, place] = 0
    matrix = np.full((rows, columns), NEVER, np.int64)
    matrix[: 1 + units] = done.starts[: 1 + units]
    if not _walk_all(walk, done, lengths, matrix):
        return False, matrix
    for wanted in range(len(walk.moments)):
        row, lane, place, event = walk.moments[wanted]
        if place < 0:
            place += done.lanes[lane]
        number = done.in_lane[walk.lane_at[lane] + place]
        source = walk.known[number, event] if number < len(walk.known) else columns + number
        if source == NEVER:
            return False, matrix
        matrix[row] = np.maximum(matrix[row], done.starts[source] + done.later[number, event])
    return True, np.where(matrix < NEVER // 2, NEVER, matrix)


class Steps(NamedTuple):
    """Of all known steps behind one another; each is a form behind a border.

    table: (form, rows, columns, first place that is written, first that is read) of each. starts: where the matrix of
    each form begins.
    """

    table: Integers
    starts: Integers
    matrices: Integers
    places: Integers


@compiled
def compose(chosen: Integers, steps: Steps, vector: Integers) -> None:
    """Take a vector of moments through the steps `chosen`."""
    behind = np.empty(len(vector), np.int64)
    for step in chosen:
        form, rows, columns, written, read = steps.table[step]
        matrix = steps.starts[form]
        for row in range(rows):
            latest = NEVER
            for column in range(columns):
                way = steps.matrices[matrix + row * columns + column]
                latest = max(latest, vector[steps.places[read + column]] + way)
            behind[row] = latest
        for row in range(rows):
            vector[steps.places[written + row]] = behind[row]
