"""Mistakes in jobs, one kind of job and one of its waits or durations at a time, and the first moment that must differ.

Not planted, because it changes nothing: a load's `issued` for its `ready` (it has no latency).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.mapping.schedule import Event, Job, JobKind, Recent
from mixarray.mapping.units import array_units, load_waits, loaded, output_waits, summed
from mixarray_analysis.validation.array_jobs import Draw, gemm_stream, withheld_output, withheld_stationary

Change = Callable[[Job], Job]


@dataclass(frozen=True, slots=True)
class JobFault:
    """`change` is made to every job of fold streams that `draw` draws; `kind` and `moment`: where it shows first."""

    name: str
    draw: Draw
    kind: JobKind
    moment: Event
    change: Change = lambda job: job


def job_faults() -> tuple[JobFault, ...]:
    """Every fault, with a name of its own."""
    load, stream, drain = JobKind.ARRAY_LOAD, JobKind.STREAM, JobKind.DRAIN
    units = array_units(0)
    unswapped = partial(gemm_stream, dataflow=Dataflow.INPUT_STATIONARY, jobs_dataflow=Dataflow.WEIGHT_STATIONARY)
    return (
        *_policy_faults(withheld_stationary, load, load_waits(units)),
        *_policy_faults(withheld_output, stream, output_waits(units)),
        *_wait_faults("stream's own load", withheld_stationary, stream, loaded(units), (Event.STARTED,)),
        *_wait_faults("drain's own sums", withheld_output, drain, summed(units), (Event.STARTED, Event.READY)),
        *_length_faults("load", withheld_stationary, load, latency=False),
        *_length_faults("stream of rows", withheld_stationary, stream, latency=True),
        *_length_faults("stream of steps", withheld_output, stream, latency=True),
        *_length_faults("drain", withheld_output, drain, latency=True),
        JobFault("input-stationary: roles not swapped", unswapped, stream, Event.ISSUED),
    )


def _policy_faults(draw: Draw, kind: JobKind, waits: Mapping[WeightLoading, Recent]) -> Iterator[JobFault]:
    """The wait of each policy for another event, one job too far back, one too near, or not at all."""
    for policy, wait in waits.items():
        name = f"{kind.value} under {policy.value}"
        yield from _wait_faults(name, draw, kind, wait, [event for event in Event if event != wait.event])
        if wait.count > 1:
            yield _exchanged(f"{name}: one slot too few", draw, kind, wait, replace(wait, count=wait.count - 1))


def _wait_faults(name: str, draw: Draw, kind: JobKind, wait: Recent, events: Sequence[Event]) -> Iterator[JobFault]:
    for event in events:
        title = f"{name}: {event.name.lower()} for {wait.event.name.lower()}"
        yield _exchanged(title, draw, kind, wait, replace(wait, event=event))
    yield _exchanged(f"{name}: one slot too many", draw, kind, wait, replace(wait, count=wait.count + 1))
    yield _exchanged(f"{name}: not waited for", draw, kind, wait, None)


def _exchanged(name: str, draw: Draw, kind: JobKind, old: Recent, new: Recent | None) -> JobFault:
    def change(job: Job) -> Job:
        if job.kind is not kind:
            return job
        waits = tuple(new if wait == old else wait for wait in job.dependencies)
        return replace(job, dependencies=tuple(wait for wait in waits if wait is not None))

    return JobFault(name, draw, kind, Event.STARTED, change)


def _length_faults(name: str, draw: Draw, kind: JobKind, latency: bool) -> Iterator[JobFault]:
    """Occupancy one cycle short; latency as occupancy, or none, where the kind has any."""

    def shorter(job: Job) -> Job:
        return replace(job, occupancy_cycles=job.occupancy_cycles - 1) if job.kind is kind else job

    def longer(job: Job) -> Job:
        whole = job.occupancy_cycles + job.latency_cycles
        return replace(job, occupancy_cycles=whole, latency_cycles=0) if job.kind is kind else job

    def early(job: Job) -> Job:
        return replace(job, latency_cycles=0) if job.kind is kind else job

    yield JobFault(f"{name}: one cycle less", draw, kind, Event.ISSUED, shorter)
    if latency:
        yield JobFault(f"{name}: latency as occupancy", draw, kind, Event.ISSUED, longer)
        yield JobFault(f"{name}: latency dropped", draw, kind, Event.READY, early)
