"""Attribution: every cycle of a run belongs to one (operator, unit, kind), found by walking back (design 7).

From the job that ends last, follow the binding dependency to the job whose event fixed the start, and so on to cycle
0. Consecutive jobs of this chain cover [0, total] without a gap: the last one its whole duration, each other one the
time from its start to the event that its successor waited for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mixarray.engine.timeline import Timeline
from mixarray.mapping.schedule import JobKind, Schedule


@dataclass(frozen=True, slots=True)
class Attribution:
    """Cycles of the critical chain by (operator, unit name, kind); they sum to total_cycles."""

    total_cycles: int
    chain_jobs: int
    cycles: Mapping[tuple[int, str, JobKind], int]

    def by_unit_and_kind(self) -> dict[tuple[str, JobKind], int]:
        """The same, summed over operators."""
        summed: Counter[tuple[str, JobKind]] = Counter()
        for (_, unit, kind), cycles in self.cycles.items():
            summed[unit, kind] += cycles
        return dict(summed)


def attribute(schedule: Schedule, timeline: Timeline) -> Attribution:
    """Walk back from the last job (the largest ready time; among equals the lowest job number)."""
    cycles: Counter[tuple[int, str, JobKind]] = Counter()
    if not len(timeline.ready_cycles):
        return Attribution(0, 0, {})
    job = int(np.argmax(timeline.ready_cycles))
    total = moment = int(timeline.ready_cycles[job])
    jobs = 0
    while job >= 0:
        start = int(timeline.start_cycles[job])
        key = int(timeline.operator[job]), schedule.units[int(timeline.unit[job])], timeline.kinds[timeline.kind[job]]
        if moment > start:  # a dependency on `started` makes a job a link of the chain that takes no time
            cycles[key] += moment - start
        moment, job, jobs = start, int(timeline.binding[job]), jobs + 1
    if moment != 0:
        raise ValueError(f"the walk back ends at cycle {moment}: the timeline has a start that nothing binds")
    return Attribution(total, jobs, dict(cycles))
