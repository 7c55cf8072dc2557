"""A Schedule as tables of 64-bit integers: what the compiled functions of the fast engine read and write."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

BACK, RECENT, FINAL = range(3)
"""Sorts of waits."""

NOWHERE = -1
"""In place of a job's number, a chunk's or a lane's index: there is none."""


class SegmentTable(NamedTuple):
    """Arrays of shape (segments,).

    slots: jobs per iteration. body: the first stored job of the body; all stored variants follow each other. first and
    last: those of the first and of the last iteration. first_job: number of the first job that runs.
    """

    slots: Integers
    repeat: Integers
    variants: Integers
    body: Integers
    first: Integers
    last: Integers
    first_job: Integers


class JobTable(NamedTuple):
    """Arrays of shape (stored jobs,). lane = unit * kinds + kind; operator -1: none."""

    unit: Integers
    lane: Integers
    occupancy_cycles: Integers
    latency_cycles: Integers
    operator: Integers


class WaitTable(NamedTuple):
    """Arrays of shape (waits,). (where, which, distance) is (0, slot, iterations), (unit, kind, count) or
    (segment, slot, 0), as `sort` says.
    """

    sort: Integers
    where: Integers
    which: Integers
    distance: Integers
    event: Integers


class Flat(NamedTuple):
    """A whole Schedule; the waits of a stored job are wait_at[job] .. wait_at[job + 1] - 1. units, kinds: how many."""

    units: int
    kinds: int
    segments: SegmentTable
    jobs: JobTable
    wait_at: Integers
    waits: WaitTable


class Ways(NamedTuple):
    """Where to find what jobs wait for, and an order of visits in which all of it comes first.

    A wait (arrays of shape (waits,)) is for job `offset` counted from the first one of the iteration at hand, once
    `least` iterations are done; before that for job number `early[early_at + early_step * iteration]`. order: for every
    stored variant its slots, shape (stored jobs,).
    """

    offset: Integers
    least: Integers
    early_at: Integers
    early_step: Integers
    early: Integers
    order: Integers


class Record(NamedTuple):
    """What a run leaves.

    moments[job]: (started, issued, ready), indexed by `Event`. bindings[job]: (job, event); without rows: not kept.
    spans[operator]: (first start, or -1 if it has no jobs; last ready).
    """

    moments: Integers
    bindings: Integers
    spans: Integers
