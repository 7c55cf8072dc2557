"""Jobs with further waits, each made once: one object is quickly compared with itself, kept once and read once."""

from __future__ import annotations

from dataclasses import dataclass, field

from mixarray.mapping.schedule import Dependency, Job

Dependencies = tuple[Dependency, ...]


@dataclass(slots=True)
class WaitingJobs:
    """Makes jobs with other dependencies than they came with; equal ones of one job are one object.

    lists: equal dependencies, once. made: by the ids of a job and of such a list, with the job itself: while both are
    kept, no other object can have these ids.
    """

    made: dict[tuple[int, int], tuple[Job, Job]] = field(default_factory=dict)
    lists: dict[Dependencies, Dependencies] = field(default_factory=dict)

    def job(self, job: Job, dependencies: Dependencies) -> Job:
        """`job` with these dependencies in place of its own."""
        dependencies = self.lists.setdefault(dependencies, dependencies)
        key = id(job), id(dependencies)
        if key not in self.made:
            self.made[key] = job, job.waiting_for(dependencies)
        return self.made[key][1]
