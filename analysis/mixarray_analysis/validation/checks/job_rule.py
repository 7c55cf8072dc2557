"""The job rule against the array model: mapping's own jobs, run by the engine, have exactly the times of the events."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from mixarray.accelerator.enums import Dataflow
from mixarray.array.events import Integers
from mixarray.array.problem import expand_folds
from mixarray.mapping.schedule import Event, Job, JobKind
from mixarray_analysis.validation.array_jobs import Draw, FoldStream, gemm_stream, withheld_output, withheld_stationary
from mixarray_analysis.validation.array_times import fold_times, job_times, log_times
from mixarray_analysis.validation.arrays import chooser
from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases
from mixarray_analysis.validation.job_faults import Change, JobFault, job_faults
from mixarray_analysis.validation.model_faults import LOG_STRETCHED, in_model

MUTANT_CASES = 150
DRAWS: tuple[Draw, ...] = (
    withheld_stationary,
    withheld_output,
    *(partial(gemm_stream, dataflow=dataflow) for dataflow in Dataflow),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A job of a fold, and the moment for which two accounts give different cycles."""

    kind: JobKind
    fold: int
    moment: Event
    by: tuple[str, str]
    cycles: tuple[int, int]

    def __str__(self) -> str:
        (one, other), (first, second) = self.by, self.cycles
        return f"{self.kind} of fold {self.fold} {self.moment.name.lower()} in {first} by {one}, in {second} by {other}"


def unchanged(job: Job) -> Job:
    """The job itself."""
    return job


def difference(stream: FoldStream, change: Change = unchanged) -> Difference | None:
    """The first moment, in the order of the jobs, for which events, array model and engine do not agree."""
    array, jobs = stream.array, [change(job) for job in stream.jobs]
    if len(jobs) != 2 * len(stream.folds):
        raise ValueError(f"the mapping makes {len(jobs)} jobs for {len(stream.folds)} folds, not two for each")
    expansion = expand_folds(array, stream.folds)
    events = log_times(array, stream.folds, expansion.log)
    model = fold_times(expansion.times, array.dataflow)
    return _first(jobs, ("the events", "the array model"), events, model) or _first(
        jobs, ("the events", "the jobs"), events, job_times(jobs)
    )


def _first(jobs: list[Job], by: tuple[str, str], one: Integers, other: Integers) -> Difference | None:
    wrong = np.argwhere(one != other)
    if not len(wrong):
        return None
    job, moment = wrong[0].tolist()
    cycles = int(one[job, moment]), int(other[job, moment])
    return Difference(jobs[job].kind, job // 2, Event(moment), by, cycles)


def compare(seed: int, number: int) -> str:
    """How one fold stream disagrees, in words, or nothing; unrelated folds and GEMMs of all dataflows take turns."""
    stream = DRAWS[number % len(DRAWS)](chooser(seed, number))
    found = difference(stream)
    array = stream.array
    place = f"{array.rows}x{array.columns} {array.pe_style} {array.dataflow}, {array.weight_loading}"
    return f"case {number} of seed {seed} ({place}): {found}" if found else ""


def shows(fault: JobFault, seed: int) -> bool:
    """Whether a fault shows in one of a few fold streams, and there first in the job and the moment that it is in."""
    for number in range(MUTANT_CASES):
        found = difference(fault.draw(chooser(seed, number)), fault.change)
        if found is not None:
            return (found.kind, found.moment) == (fault.kind, fault.moment)
    return False


def check_cases(cases: int, seed: int, progress: Progress) -> Outcome:
    """Fold streams of all sources in turn."""
    return compare_cases(cases, progress, lambda number: compare(seed, number))


def check_mutants(seed: int) -> Mutants:
    """Every mistake in the jobs, and a log that is not that of the array model's times."""
    faults = job_faults()
    caught = [fault.name for fault in faults if shows(fault, seed)]
    with in_model(LOG_STRETCHED):
        caught += [LOG_STRETCHED.name] * any(compare(seed, number) for number in range(MUTANT_CASES))
    return Mutants((*(fault.name for fault in faults), LOG_STRETCHED.name), tuple(caught))


CHECK = Check(
    name="job_rule",
    title="mapping's jobs: start, issued and ready of every load, stream and drain",
    against="array model",
    rule="jobs of `mixarray/mapping/jobs.py`, run by the `event` engine",
    source="event log of the array model, `mixarray/array/`",
    agreement="equal start, issued and ready of every job",
    tier=Tier.ENGINE,
    cases=5000,
    run=check_cases,
    mutants=check_mutants,
)
