"""The jobs of a Schedule that ran, as columns beside its timeline: the ground of the Perfetto file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mixarray.engine.timeline import Integers
from mixarray.mapping.schedule import Job, Schedule, Segment


@dataclass(frozen=True, slots=True)
class StoredJobs:
    """Stored jobs, each once, and for every job that ran the index of the one it is a run of, shape (jobs,)."""

    jobs: tuple[Job, ...]
    index: Integers

    def column(self, values: Sequence[int]) -> Integers:
        """A value per stored job, spread over the jobs that ran."""
        return np.array(values, np.int64)[self.index]


def stored_jobs(schedule: Schedule) -> StoredJobs:
    """Number the stored jobs of a Schedule and lay their runs out in Schedule order."""
    jobs: list[Job] = []
    parts = [np.zeros(0, np.int64)]
    for segment in schedule.segments:
        for variant, times in _runs(segment):
            parts.append(np.tile(np.arange(len(jobs), len(jobs) + len(variant)), times))
            jobs += variant
    return StoredJobs(tuple(jobs), np.concatenate(parts))


def _runs(segment: Segment) -> Iterator[tuple[tuple[Job, ...], int]]:
    """The variants of a segment in the order in which they run, each with its iterations; those without left out."""
    if segment.first is None and segment.last is None:
        yield segment.body, segment.repeat
        return
    first, last = segment.jobs(0), segment.jobs(segment.repeat - 1)
    yield first, 1
    if segment.repeat > 2:
        yield segment.body, segment.repeat - 2
    if segment.repeat > 1:
        yield last, 1
