"""Jobs that wait for more than their fold, each made once: what is one object is compared, kept and read once."""

from __future__ import annotations

from dataclasses import dataclass, field

from mixarray.mapping.schedule import Dependency, Job

Dependencies = tuple[Dependency, ...]


@dataclass(slots=True)
class WaitingJobs:
    """Makes jobs with other dependencies than they came with; equal ones of one job are one object.

    made: by the job's id, with the job itself, whose id no other can have then. lists: equal dependencies, once.
    """

    made: dict[tuple[int, Dependencies], tuple[Job, Job]] = field(default_factory=dict)
    lists: dict[Dependencies, Dependencies] = field(default_factory=dict)

    def job(self, job: Job, dependencies: Dependencies) -> Job:
        """`job` with these dependencies in place of its own."""
        key = id(job), dependencies
        known = self.made.get(key)
        if known is None:
            dependencies = self.lists.setdefault(dependencies, dependencies)
            known = self.made[key] = job, job.waiting_for(dependencies)
        return known[1]
