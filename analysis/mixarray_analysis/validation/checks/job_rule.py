"""The job rule against the array model: mapping's own jobs, run by the engine, have exactly the times of the events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator, Array
from mixarray.accelerator.modes import Mode
from mixarray.array.events import Integers
from mixarray.array.fold import OutputFold, StationaryFold
from mixarray.array.output import expand_output
from mixarray.array.stationary import Expansion, expand_stationary
from mixarray.engine.event import run_event
from mixarray.mapping.jobs import UNITS, WEIGHT, Shop
from mixarray.mapping.schedule import Event, Job, JobKind, Recent, Schedule, Segment
from mixarray.mapping.tiles import Run
from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases
from mixarray_analysis.validation.fold_streams import chooser, draw_output, draw_stationary

MUTANT_CASES = 60
COLUMNS = ("starts", "is issued", "is ready")


def stationary_jobs(array: Array, folds: Sequence[StationaryFold]) -> tuple[Job, ...]:
    """Load and stream of every fold, as mapping makes them, occupied longer by the cycles that rows are withheld."""
    shop = Shop(_accelerator(array))
    jobs = []
    for fold in folds:
        bits = fold.runs[0].mode.stationary_bits
        load = shop.array_load(0, -1, fold.depth, fold.depth * fold.width * bits, WEIGHT)
        runs = tuple(_run(run.rows, run.mode) for run in fold.runs)
        stream = shop.stream(0, runs, (fold.depth, fold.width), first_fold=True)
        jobs += [_longer(load, fold.load_gaps), _longer(stream, fold.row_gaps)]
    return tuple(jobs)


def output_jobs(array: Array, folds: Sequence[OutputFold]) -> tuple[Job, ...]:
    """Stream and drain of every fold, likewise."""
    shop = Shop(_accelerator(array))
    jobs = []
    for fold in folds:
        stream = shop.output_stream(0, _run(fold.height, fold.mode), (fold.depth, fold.width))
        jobs += [_longer(stream, fold.step_gaps), shop.drain(0, -1, (fold.height, fold.width))]
    return tuple(jobs)


def job_times(jobs: Iterable[Job]) -> Integers:
    """(start, issued, ready) of every job by the event engine, shape (jobs, 3)."""
    timeline = run_event(Schedule(UNITS, (Segment(tuple(jobs)),)), 1, with_timeline=True).timeline
    assert timeline is not None  # asked for
    return np.stack([timeline.start_cycles, timeline.issued_cycles, timeline.ready_cycles], axis=1)


def model_times(expansion: Expansion, dataflow: Dataflow) -> Integers:
    """The same by the array model: of load and stream of every fold, or of stream and drain."""
    stream_first = dataflow is Dataflow.OUTPUT_STATIONARY
    rows = []
    for t in expansion.times:
        other = (t.other_start_cycles, t.other_issued_cycles, t.other_ready_cycles)
        stream = (t.stream_start_cycles, t.stream_issued_cycles, t.stream_ready_cycles)
        rows += [stream, other] if stream_first else [other, stream]
    return np.array(rows, np.int64)


def _accelerator(array: Array) -> Accelerator:
    return _base().model_copy(update={"arrays": (array,)})


@cache
def _base() -> Accelerator:
    return load_accelerator("plain_int8_32x32")


def _run(rows: int, mode: Mode) -> Run:
    return Run(-1, rows, mode.stream_bits, mode, mode.stream_bits, mode.stationary_bits)


def _longer(job: Job, gaps: Sequence[int]) -> Job:
    return replace(job, occupancy_cycles=job.occupancy_cycles + sum(gaps))


def _drop(kind: JobKind) -> Callable[[Job], Job]:
    return lambda job: replace(job, dependencies=()) if job.kind is kind else job


def _waiting(change: Callable[[Recent], Recent]) -> Callable[[Job], Job]:
    return lambda job: replace(
        job, dependencies=tuple(change(wait) if isinstance(wait, Recent) else wait for wait in job.dependencies)
    )


_SHARED: Mapping[str, Callable[[Job], Job]] = {
    "latency as occupancy": lambda job: replace(
        job, occupancy_cycles=job.occupancy_cycles + job.latency_cycles, latency_cycles=0
    ),
    "slot off by one": _waiting(lambda wait: replace(wait, count=wait.count + 1)),
    "ready for issued": _waiting(lambda wait: replace(wait, event=Event.READY)),
    "one cycle less": lambda job: replace(job, occupancy_cycles=job.occupancy_cycles - 1),
    "stream's dependency dropped": _drop(JobKind.STREAM),
}
FAULTS: Mapping[Dataflow, Mapping[str, Callable[[Job], Job]]] = {
    Dataflow.WEIGHT_STATIONARY: {**_SHARED, "load's dependency dropped": _drop(JobKind.ARRAY_LOAD)},
    Dataflow.OUTPUT_STATIONARY: {**_SHARED, "drain's dependency dropped": _drop(JobKind.DRAIN)},
}
"""Mistakes in the jobs, by dataflow."""


def compare(seed: int, number: int, dataflow: Dataflow, fault: Callable[[Job], Job] | None = None) -> str:
    """How the jobs of one fold stream (rows withheld in three of four) disagree with its events, or nothing."""
    choose = chooser(seed, number)
    withheld = choose(0, 3) > 0
    if dataflow is Dataflow.OUTPUT_STATIONARY:
        array, tiles = draw_output(choose, withheld)
        jobs, expansion = output_jobs(array, tiles), expand_output(array, tiles)
    else:
        array, folds = draw_stationary(choose, withheld)
        jobs, expansion = stationary_jobs(array, folds), expand_stationary(array, folds)
    found = difference(model_times(expansion, dataflow), job_times(map(fault, jobs) if fault else jobs), jobs)
    place = f"{array.rows}x{array.columns} {array.pe_style} {array.dataflow}, {array.weight_loading}"
    return f"case {number} of seed {seed} ({place}): {found}" if found else ""


def difference(model: Integers, engine: Integers, jobs: Sequence[Job]) -> str:
    """The first time, in the order of the jobs, in which two tables shaped (jobs, 3) differ; empty if none does."""
    wrong = np.argwhere(model != engine)
    if not len(wrong):
        return ""
    job, column = wrong[0].tolist()
    kind = jobs[job].kind.value
    return f"{kind} of fold {job // 2} {COLUMNS[column]} in {model[job, column]}, as a job in {engine[job, column]}"


def check_cases(cases: int, seed: int, progress: Progress) -> Outcome:
    """Weight- and output-stationary fold streams in turn."""
    dataflows = tuple(FAULTS)
    return compare_cases(cases, progress, lambda number: compare(seed, number, dataflows[number % len(dataflows)]))


def check_mutants(seed: int) -> Mutants:
    """Every mistake in the jobs of either dataflow must show in one of a few fold streams."""
    faults = {f"{flow}: {name}": (flow, fault) for flow, by_name in FAULTS.items() for name, fault in by_name.items()}
    caught = [name for name, planted in faults.items() if any(compare(seed, n, *planted) for n in range(MUTANT_CASES))]
    return Mutants(tuple(faults), tuple(caught))


CHECK = Check(
    name="job_rule",
    title="mapping's jobs: start, issued and ready of every load, stream and drain",
    against="array model",
    tier=Tier.ENGINE,
    cases=5000,
    run=check_cases,
    mutants=check_mutants,
)
