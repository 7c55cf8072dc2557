"""What an engine returns: counters always, and the timeline of every job where it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixarray.mapping.schedule import Action, JobKind

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Every job that ran, in Schedule order; arrays of shape (jobs,).

    `binding` is the index of the job whose event fixed the start (-1: it started at cycle 0, bound by nothing) and
    `binding_event` that event (an `Event` value; the previous job on the unit binds by ISSUED). If several bind: the
    previous job on the unit, then the lowest job number.
    """

    unit: Integers
    kind: Integers
    operator: Integers
    group: Integers
    start_cycles: Integers
    issued_cycles: Integers
    ready_cycles: Integers
    binding: Integers
    binding_event: Integers

    kinds: tuple[JobKind, ...] = tuple(JobKind)


@dataclass(frozen=True, slots=True)
class OperatorCounts:
    """What one operator did: its share of the counters, and the cycles between its first start and last ready."""

    operator: int
    first_start_cycles: int
    last_ready_cycles: int
    busy_cycles: Mapping[tuple[int, JobKind], int]
    macs: int
    useful_pe_cycles: int
    actions: Mapping[Action, int]


@dataclass(frozen=True, slots=True)
class Execution:
    """The outcome of one run of a Schedule.

    total_cycles: the largest ready time. busy_cycles: occupancy by (unit, kind). actions: counts for the cost model.
    operators: the same per operator. timeline: None unless it was asked for.
    """

    engine: str
    total_cycles: int
    jobs: int
    busy_cycles: Mapping[tuple[int, JobKind], int]
    macs: int
    useful_pe_cycles: int
    actions: Mapping[Action, int]
    operators: tuple[OperatorCounts, ...]
    timeline: Timeline | None
