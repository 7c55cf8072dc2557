"""From a lowered piece to the tables of its walk, and what its jobs count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from mixarray.mapping.schedule import Final, Job, JobKind, Recent
from mixarray.points.lowering import Piece
from mixarray.points.max_plus import EXACT, NEVER, RECENT, Integers, Walk
from mixarray.points.network import UncomposableError
from mixarray.points.roles import Roles

LARGEST = 2**50
"""No counter and no duration of a piece may be larger: sums of all pieces then fit 64 bits."""
Lane = tuple[int, JobKind]
Bodies = Sequence[tuple[tuple[Job, ...], int]]


@dataclass(frozen=True, slots=True)
class Counted:
    """What the jobs of a piece count, whatever they cost. lanes, tasks, times: of each (unit, kind) and task that occur
    together, how often.
    """

    jobs: int
    macs: int
    useful_pe_cycles: int
    lanes: tuple[Lane, ...]
    tasks: Integers
    times: Integers


def count(piece: Piece) -> Counted:
    """Add up the jobs of a piece."""
    total = macs = useful = 0
    found: Counter[tuple[Lane, int]] = Counter()
    for job, times in _distinct(piece.segments[1:]):
        total += times
        macs += job.macs * times
        useful += job.useful_pe_cycles * times
        found[(job.unit, job.kind), job.occupancy_cycles] += times
    if max(macs, useful) > LARGEST:
        raise UncomposableError("its counters need many bits")
    tasks = np.array([task for _, task in found], np.int64)
    return Counted(total, macs, useful, tuple(lane for lane, _ in found), tasks, np.array([*found.values()], np.int64))


def _distinct(segments: Bodies) -> list[tuple[Job, int]]:
    """The jobs of segments, each object once, in order of their first appearance, and how often it runs."""
    times: Counter[int] = Counter()
    jobs: dict[int, Job] = {}
    for body, repeat in segments:
        for place, number in Counter(map(id, body)).items():
            times[place] += number * repeat
        jobs.update(zip(map(id, body), body, strict=True))
    return [(job, times[place]) for place, job in jobs.items()]


def walk_of(piece: Piece, roles: Roles, rows: list[int], columns: list[int]) -> Walk:
    """The tables of a piece; rows, columns: places of the vector behind it, and before it.

    Both begin with all places of `roles`. Raises UncomposableError where the piece waits for something in another way
    than lowering does.
    """
    jobs, row_of = _distinct(piece.segments), {place: row for row, place in enumerate(rows)}
    bodies = [body for body, _ in piece.segments]
    sizes, repeats = (np.array(column, np.int64) for column in ([*map(len, bodies)], [r for _, r in piece.segments]))
    starts = np.cumsum(sizes) - sizes
    ends = np.cumsum(sizes * repeats) - sizes  # numbers of the first job of each segment's last iteration
    number_of = {id(job): number for number, (job, _) in enumerate(jobs)}
    lengths: Counter[Lane] = Counter()
    for job, times in jobs:
        lengths[job.unit, job.kind] += times
    lanes = {lane: number for number, lane in enumerate(lengths)}
    table: list[tuple[int, ...]] = []
    waits: list[tuple[int, int, int, int]] = []
    for job, _ in jobs:
        before = len(waits)
        for wait in job.dependencies:
            if isinstance(wait, Recent):
                waits.append((RECENT, lanes.get((wait.unit, wait.kind), -1), wait.count, wait.event))
            elif isinstance(wait, Final):
                waits.append((EXACT, int(ends[wait.segment]) + wait.slot, 0, wait.event))
            else:
                raise UncomposableError("a job waits for another by its place in its segment")
        lane = lanes[job.unit, job.kind]
        table.append((job.unit, lane, job.occupancy_cycles, before, len(waits)))
    places = {place: column for column, place in enumerate(columns)}
    known = np.full((len(piece.known), 3), NEVER, np.int64)
    for stand_in, one in enumerate(piece.known):
        for event, place in one.places:
            known[stand_in, event] = places.get(place, NEVER)
    moments = [(roles.lane(n), lanes[w.unit, w.kind], -w.count, w.event) for n, w in enumerate(roles.lanes)]
    moments += [(row_of[m.place], lanes[m.mark.unit, m.mark.kind], m.mark.index, m.event) for m in piece.moments]
    return Walk(
        known,
        np.stack([starts, sizes, repeats], axis=1),
        np.array([*map(number_of.__getitem__, map(id, chain.from_iterable(bodies)))], np.int64),
        np.array(table, np.int64),
        np.array(waits, np.int64).reshape(len(waits), 4),
        np.cumsum([0, *lengths.values()][:-1], dtype=np.int64),
        np.array(moments, np.int64),
    )
