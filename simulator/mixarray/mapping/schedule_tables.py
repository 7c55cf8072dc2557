"""A Schedule as tables of 64-bit integers, for whoever cannot go from object to object; made by `tabulate`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

BACK, RECENT, FINAL = range(3)
"""Sorts of waits."""


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
    """All that times depend on. The waits of a stored job are wait_at[job] .. wait_at[job + 1] - 1, shape (stored jobs
    + 1,). units, kinds: how many there are.
    """

    units: int
    kinds: int
    segments: SegmentTable
    jobs: JobTable
    wait_at: Integers
    waits: WaitTable


class DistinctJobs(NamedTuple):
    """Each object among the stored jobs once, in the order in which the Schedule first names them.

    columns, group, macs, useful_pe_cycles, listed: of shape (distinct jobs,). listed: which list of actions a job
    has; the lists lie behind each other, `lengths` long each, shape (lists,): so often (`times_each`) the action
    `action`, an index of `names` (component, name); both of shape (sum of lengths,).
    """

    columns: JobTable
    group: Integers
    macs: Integers
    useful_pe_cycles: Integers
    listed: Integers
    lengths: Integers
    action: Integers
    times_each: Integers
    names: tuple[tuple[str, str], ...]


class Tables(NamedTuple):
    """All of a Schedule. number: of each stored job its place among the distinct ones, shape (stored jobs,)."""

    flat: Flat
    number: Integers
    distinct: DistinctJobs
