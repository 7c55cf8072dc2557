"""What the compiled functions of the fast engine read and write beside the tables of a Schedule."""

from __future__ import annotations

from typing import NamedTuple

from mixarray.mapping.schedule_tables import Flat, Integers

NOWHERE = -1
"""In place of a job's number, a chunk's or a lane's index: there is none."""

NEVER = 2**62
"""An iteration or a number of times that is not reached."""

STARTED, ISSUED, READY = range(3)
"""Columns of moments, as in `Event`."""


class Ways(NamedTuple):
    """Where to find what jobs wait for, and an order of visits in which all of it comes first.

    A wait (arrays of shape (waits,)) is for job `slot` of the iteration `least` iterations before, once there are so
    many; before that for entry `early_at + early_step * iteration` of early: the number of a job of an earlier segment
    (NOWHERE: for nothing), and its moment, an `Event`. order: for every stored variant its slots, shape (stored jobs,).

    reach[segment]: most iterations that a wait of one of its variants goes back. moving[segment]: 1 where a wait of its
    body is for another job of earlier segments in every iteration, to the end.
    """

    slot: Integers
    least: Integers
    early_at: Integers
    early_step: Integers
    early: Integers
    early_event: Integers
    order: Integers
    reach: Integers
    moving: Integers


class Kept(NamedTuple):
    """The entries of `Ways.early` that name a job, sorted by it; all that one segment needs to know of another.

    entry, number: shape (named,). cycles: the moment of every entry once it is known, shape (entries,); it stays -1,
    which binds nothing, for one that names no job.
    """

    entry: Integers
    number: Integers
    cycles: Integers


class Record(NamedTuple):
    """What a run leaves.

    starts[job] and bindings[job]: its start and the (job, event) that fixed it; without rows: not kept, and iterations
    may be skipped. spans[operator]: (first start, or -1 if it has no jobs; last ready). walked[segment]: iterations
    that were not skipped.
    """

    starts: Integers
    bindings: Integers
    spans: Integers
    walked: Integers


class Run(NamedTuple):
    """All of a walk: what it reads, what it leaves, and the units' state.

    free[unit]: the cycle from which on it is free. latest[unit]: the number of its latest job, or NOWHERE; true only
    where no iteration is skipped.
    """

    flat: Flat
    ways: Ways
    kept: Kept
    record: Record
    free: Integers
    latest: Integers
