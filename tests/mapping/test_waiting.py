"""Jobs with the same waits, made of the same job, are one object."""

from __future__ import annotations

from mixarray.mapping.schedule import Event, Job, JobKind, Recent
from mixarray.mapping.waiting import WaitingJobs

BASE = Job(0, JobKind.STREAM, 3, 1, macs=7)


def wait(count: int) -> Recent:
    return Recent(1, JobKind.ARRAY_LOAD, count, Event.READY)


def test_equal_waits_of_one_job_make_one_object() -> None:
    waiting = WaitingJobs()
    job = waiting.job(BASE, (wait(1), wait(2)))
    assert job == BASE.waiting_for((wait(1), wait(2)))
    assert waiting.job(BASE, (wait(1), wait(2))) is job


def test_other_waits_and_other_jobs_make_others() -> None:
    waiting = WaitingJobs()
    job, other = waiting.job(BASE, (wait(1),)), Job(0, JobKind.STREAM, 3, 1, macs=8)
    assert waiting.job(BASE, (wait(2),)) != job
    assert waiting.job(other, (wait(1),)) == other.waiting_for((wait(1),))
    assert waiting.job(other, (wait(1),)).dependencies is job.dependencies
