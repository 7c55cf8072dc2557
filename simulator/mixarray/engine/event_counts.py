"""Counters of a Schedule: they do not depend on time, so they are summed per stored job times how often it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mixarray.engine.timeline import OperatorCounts
from mixarray.mapping.schedule import Action, Job, JobKind, Schedule, Segment


@dataclass(slots=True)
class _Sum:
    busy_cycles: Counter[tuple[int, JobKind]] = field(default_factory=Counter)
    actions: Counter[Action] = field(default_factory=Counter)
    macs: int = 0
    useful_pe_cycles: int = 0

    def add(self, job: Job, times: int) -> None:
        self.busy_cycles[job.unit, job.kind] += job.occupancy_cycles * times
        self.macs += job.macs * times
        self.useful_pe_cycles += job.useful_pe_cycles * times
        for action, count in job.actions:
            self.actions[action] += count * times


@dataclass(frozen=True, slots=True)
class Counts:
    """Totals of a Schedule, and the same per operator; units as in `Execution`."""

    busy_cycles: Mapping[tuple[int, JobKind], int]
    actions: Mapping[Action, int]
    macs: int
    useful_pe_cycles: int
    operators: tuple[OperatorCounts, ...]


def count_actions(schedule: Schedule, first_start: Sequence[int], last_ready: Sequence[int]) -> Counts:
    """Sum the counters; first_start (-1: the operator has no jobs) and last_ready are given per operator, in cycles."""
    total = _Sum()
    each = [_Sum() for _ in first_start]
    for segment in schedule.segments:
        for jobs, times in variants(segment):
            for job in jobs:
                total.add(job, times)
                if job.operator >= 0:
                    each[job.operator].add(job, times)
    operators = tuple(
        OperatorCounts(
            operator, max(start, 0), ready, dict(one.busy_cycles), one.macs, one.useful_pe_cycles, dict(one.actions)
        )
        for operator, (one, start, ready) in enumerate(zip(each, first_start, last_ready, strict=True))
    )
    return Counts(dict(total.busy_cycles), dict(total.actions), total.macs, total.useful_pe_cycles, operators)


def variants(segment: Segment) -> Iterator[tuple[tuple[Job, ...], int]]:
    """Every variant with the number of iterations it runs in."""
    first = segment.first is not None
    last = segment.last is not None and segment.repeat > first
    counted = ((segment.first, int(first)), (segment.last, int(last)), (segment.body, segment.repeat - first - last))
    for jobs, times in counted:
        if jobs is not None and times:
            yield jobs, times
