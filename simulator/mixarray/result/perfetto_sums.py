"""How full the accumulator buffers are over time, for the Perfetto file.

Sums are begun by jobs of an array, or come back from DRAM; they leave in *stripes*. Whoever takes a stripe (a vector
job, or a store of partial sums) waits for the job of the array that completes it, so the Schedule says which sums these
are: all that were begun on that array since the stripe before. What a job begins arrives evenly over its cycles; those
who take a stripe share it by what they read, evenly over theirs. Sums that nobody waits for leave when their operator
is ready.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixarray.engine.timeline import Integers, Timeline
from mixarray.mapping.schedule import Dependency, Event, Final, JobKind, Recent, Schedule
from mixarray.result.perfetto_counters import spread
from mixarray.result.perfetto_jobs import StoredJobs

COMPLETING = frozenset({JobKind.STREAM, JobKind.DRAIN})
NOBODY = -1


@dataclass(frozen=True)
class Sums:
    """One run. begun, read: bits of new sums that each stored job begins, and that it takes, shape (stored jobs,)."""

    schedule: Schedule
    stored: StoredJobs
    timeline: Timeline
    begun: Integers
    read: Integers

    def fill(self, last_ready: Mapping[int, int], edges: Integers) -> Integers:
        """Bits in all accumulator buffers together at each edge, shape (edges,); last_ready: by operator, in cycles."""
        begins, takes = (np.flatnonzero(bits[self.stored.index]) for bits in (self.begun, self.read))
        completed = self._completed(takes)
        takes, completed = takes[completed != NOBODY], completed[completed != NOBODY]
        stripes = np.unique(completed)
        of_begun = self._stripe_of(begins, stripes)
        bits = self.begun[self.stored.index[begins]]
        held = np.bincount(of_begun[of_begun != NOBODY], bits[of_begun != NOBODY], len(stripes)).astype(np.int64)
        found = self._over_time(begins, bits, edges)
        found -= self._over_time(takes, self._shares(takes, np.searchsorted(stripes, completed), held), edges)
        kept = begins[of_begun == NOBODY]
        for operator in np.unique(self.timeline.operator[kept]).tolist():
            ours = self.timeline.operator[kept] == operator
            left = int(bits[of_begun == NOBODY][ours].sum())
            found -= np.where(edges >= last_ready.get(operator, 0), left, 0)
        return found

    def _over_time(self, jobs: Integers, amounts: Integers, edges: Integers) -> Integers:
        found = np.zeros(len(edges), np.int64)
        for unit in np.unique(self.timeline.unit[jobs]).tolist():
            here = self.timeline.unit[jobs] == unit
            found += spread(jobs[here], amounts[here], self.timeline, edges)
        return found

    def _shares(self, takes: Integers, stripe: Integers, held: Integers) -> Integers:
        """Bits that leave with each job that takes from a stripe: its share of what the stripe holds."""
        order = np.argsort(stripe, kind="stable")
        read, of = self.read[self.stored.index[takes]][order], stripe[order]
        total = np.cumsum(read)
        first = np.searchsorted(of, of)
        before = np.where(first > 0, total[first - 1], 0)
        every = np.bincount(of, read, len(held)).astype(np.int64)[of]
        upto = held[of] * (total - before) // every
        found = np.empty(len(takes), np.int64)
        found[order] = upto - held[of] * (total - read - before) // every
        return found

    def _stripe_of(self, begins: Integers, stripes: Integers) -> Integers:
        """The stripe that each job begins sums for: the next one of its array; of what comes back, of any array."""
        found = np.full(len(begins), NOBODY)
        array = self.timeline.unit[begins]
        for unit in np.unique(array).tolist():
            here = np.flatnonzero(array == unit)
            own = np.flatnonzero(self.timeline.unit[stripes] == unit)
            own = own if len(own) else np.arange(len(stripes))
            place = np.searchsorted(stripes[own], begins[here])
            some = place < len(own)
            found[here[some]] = own[place[some]]
        return found

    def _completed(self, takes: Integers) -> Integers:
        """The job of an array that completes the stripe which each job takes from."""
        found = np.full(len(takes), NOBODY)
        index = self.stored.index[takes]
        order = np.argsort(index, kind="stable")
        for stored, here in _parts(index[order], order):
            for wait in self.stored.jobs[stored].dependencies:
                if wait.event is Event.READY:
                    other = self._waited(wait, takes[here])
                    valid = other[(other >= 0)]
                    kinds = {self.timeline.kinds[kind] for kind in np.unique(self.timeline.kind[valid]).tolist()}
                    if kinds and kinds <= COMPLETING:
                        found[here] = np.maximum(found[here], other)
        return found

    def _waited(self, wait: Dependency, jobs: Integers) -> Integers:
        """The number of the job that each of `jobs` waits for; negative where there is none."""
        if isinstance(wait, Recent):
            lane = self._lanes.get((wait.unit, wait.kind), np.zeros(0, np.int64))
            place = np.searchsorted(lane, jobs) - wait.count
            return np.append(lane, NOBODY)[np.where(place >= 0, place, len(lane))]
        starts, slots = self._segments
        if isinstance(wait, Final):
            return np.full(len(jobs), starts[wait.segment + 1] - slots[wait.segment] + wait.slot)
        segment = np.searchsorted(starts, jobs, side="right") - 1
        first = starts[segment]
        other = first + ((jobs - first) // slots[segment] - wait.iterations) * slots[segment] + wait.slot
        return np.where(other >= first, other, NOBODY)

    @cached_property
    def _lanes(self) -> dict[tuple[int, JobKind], Integers]:
        """The jobs of every unit and kind that completes sums, in order."""
        timeline = self.timeline
        return {
            (unit, kind): np.flatnonzero((timeline.unit == unit) & (timeline.kind == timeline.kinds.index(kind)))
            for unit in range(len(self.schedule.units))
            for kind in sorted(COMPLETING)
        }

    @cached_property
    def _segments(self) -> tuple[Integers, Integers]:
        """The number of the first job of each segment, and of the one that would follow; jobs per iteration."""
        slots = np.array([len(segment.body) for segment in self.schedule.segments])
        repeat = np.array([segment.repeat for segment in self.schedule.segments])
        return np.concatenate([[0], np.cumsum(slots * repeat)]), slots


def _parts(keys: Integers, values: Integers) -> Iterator[tuple[int, Integers]]:
    """Every key of a sorted column, with its values."""
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    for part in np.split(np.arange(len(keys)), first[1:]):
        if len(part):
            yield int(keys[part[0]]), values[part]
