"""Writing a Schedule down: jobs in order, equal iterations folded into segments, waits by distance.

A wait for an earlier job becomes `Recent` with the number of jobs of its lane since then, so two iterations that do
the same compare equal wherever they stand, and loops need no special first or last bodies.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mixarray.mapping.folding import fold_up
from mixarray.mapping.schedule import Dependency, Event, Final, Job, JobKind, Recent, Schedule
from mixarray.mapping.waiting import WaitingJobs


@dataclass(slots=True)
class Mark:
    """A job that was emitted: its place in its lane (unit, kind), and in the Schedule (iteration of a segment)."""

    unit: int
    kind: JobKind
    index: int
    slot: int
    segment: int = -1
    iteration: int = -1


@dataclass(slots=True)
class Slots:
    """A buffer of `slots` equal parts as dependencies: who takes a part waits for the jobs that freed it."""

    slots: int
    taken: int = 0
    freed: int = 0
    marks: deque[tuple[Mark, ...]] = field(default_factory=deque)

    def take(self) -> tuple[Mark, ...]:
        """Occupy the next part; returns the jobs that free it (none: it was never used)."""
        index = self.taken - self.slots
        self.taken += 1
        return () if index < 0 else self.marks[index - self.freed]

    def free(self, *marks: Mark) -> None:
        """The oldest occupied part is free once all of `marks` have happened.

        Where none is occupied, something leaves whose making was rounded down to nothing: it takes a part now.
        """
        self.taken = max(self.taken, self.freed + len(self.marks) + 1)
        self.marks.append(marks)
        if len(self.marks) > self.slots:
            self.marks.popleft()
            self.freed += 1

    def half(self) -> Slots:
        """One half of every part, as they are now: none may be occupied."""
        return Slots(self.slots, self.taken, self.freed, deque(self.marks))

    def join(self, left: Slots, right: Slots) -> None:
        """Both halves of every part together: a part is free once both halves are. None may be occupied."""
        freed = [[()] * (self.slots - len(half.marks)) + [*half.marks] for half in (left, right)]
        self.marks = deque((*ours, *theirs) for ours, theirs in zip(*freed, strict=True))
        self.taken, self.freed = self.slots, 0


@dataclass(slots=True)
class Emitter:
    """Collects jobs into iterations and iterations into segments. `remember`: iterations that waits may reach back."""

    units: tuple[str, ...]
    remember: int = 8
    segments: list[tuple[tuple[Job, ...], int]] = field(default_factory=list)
    counts: Counter[tuple[int, JobKind]] = field(default_factory=Counter)
    jobs: list[Job] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    recent_marks: deque[list[Mark]] = field(default_factory=deque)
    waiting: WaitingJobs = field(default_factory=WaitingJobs)
    fenced: bool = True

    def emit(self, job: Job, waits: Iterable[Dependency]) -> Mark:
        """Append `job` to the open iteration, waiting for `waits` beside its own dependencies."""
        more = [wait for wait in waits if wait not in job.dependencies]
        # a job that waits for nothing else is not copied: comparing bodies that share it is then quick
        slot, lane = len(self.jobs), (job.unit, job.kind)
        self.jobs.append(self.waiting.job(job, (*job.dependencies, *dict.fromkeys(more))) if more else job)
        index = self.counts[lane]
        self.counts[lane] = index + 1
        mark = Mark(*lane, index, slot)
        self.marks.append(mark)
        return mark

    def emit_all(self, jobs: Sequence[Job]) -> list[Mark]:
        """Append jobs that wait for nothing but what they say themselves; the last one of each lane, in order."""
        last: dict[tuple[int, JobKind], int] = {}
        for slot, job in enumerate(jobs, len(self.jobs)):
            lane = job.unit, job.kind
            self.counts[lane] += 1
            last[lane] = slot
        self.jobs.extend(jobs)
        places = sorted((slot, lane) for lane, slot in last.items())
        marks = [Mark(*lane, self.counts[lane] - 1, slot) for slot, lane in places]
        self.marks += marks
        return marks

    def recent(self, mark: Mark, event: Event) -> Recent:
        """Wait for an earlier job by distance."""
        return Recent(mark.unit, mark.kind, self.counts[mark.unit, mark.kind] - mark.index, event)

    def final(self, mark: Mark, event: Event) -> Dependency:
        """Wait for an earlier job by its segment where it stands in the last iteration, else by distance."""
        if 0 <= mark.segment < len(self.segments) and mark.iteration == self.segments[mark.segment][1] - 1:
            return Final(mark.segment, mark.slot, event)
        return self.recent(mark, event)

    def close(self) -> None:
        """End the iteration; one equal to the iteration before it adds to that one's segment."""
        if not self.jobs:
            return
        body = tuple(self.jobs)
        repeats = not self.fenced and bool(self.segments) and self.segments[-1][0] == body
        if repeats:
            self.segments[-1] = body, self.segments[-1][1] + 1
        else:
            self.segments.append((body, 1))
        for mark in self.marks:
            mark.segment, mark.iteration = len(self.segments) - 1, self.segments[-1][1] - 1
        self.recent_marks.append(self.marks)
        if len(self.recent_marks) > self.remember:
            self.recent_marks.popleft()
        self.jobs, self.marks, self.fenced = [], [], False

    def fence(self) -> None:
        """What follows is another segment, even if equal: marks before it stay final."""
        self.close()
        self.fenced = True
        self.recent_marks.clear()

    def settled(self) -> bool:
        """Whether every wait of the last iteration reaches back to iterations equal to it."""
        return bool(self.segments) and self.segments[-1][1] >= self.remember

    def repeat_last(self, times: int) -> None:
        """Run the last iteration `times` more; the marks of its segment move along. Call only where `settled`."""
        body, repeat = self.segments[-1]
        self.segments[-1] = body, repeat + times
        stride = Counter((job.unit, job.kind) for job in body)
        for marks in self.recent_marks:
            for mark in marks:
                if mark.segment == len(self.segments) - 1:
                    mark.index += times * stride[mark.unit, mark.kind]
                    mark.iteration += times
        for lane, count in stride.items():
            self.counts[lane] += times * count

    def schedule(self) -> Schedule:
        """Everything written so far."""
        self.close()
        return Schedule(self.units, fold_up(self.segments, self.waiting))
