"""When the jobs of a fold stream start, are issued and are ready: by the engine, by the array model, by its events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Array
from mixarray.array.events import ArrayEvent, EventLog, Integers
from mixarray.array.fold import Fold, OutputFold
from mixarray.array.stationary import FoldTimes
from mixarray.engine.event import run_event
from mixarray.mapping.schedule import Job, Schedule, Segment
from mixarray.mapping.units import UNITS

Moments = tuple[int, int, int]
"""(started, issued, ready) in cycles, in the order of `schedule.Event`."""


def job_times(jobs: Iterable[Job]) -> Integers:
    """Moments of every job by the event engine, shape (jobs, 3)."""
    timeline = run_event(Schedule(UNITS, (Segment(tuple(jobs)),)), 1, with_timeline=True).timeline
    assert timeline is not None  # asked for
    return np.stack([timeline.start_cycles, timeline.issued_cycles, timeline.ready_cycles], axis=1)


def fold_times(times: Sequence[FoldTimes], dataflow: Dataflow) -> Integers:
    """The moments that the array model notes for both jobs of every fold, shape (2 folds, 3), in Schedule order."""
    rows: list[Moments] = []
    for t in times:
        other = t.other_start_cycles, t.other_issued_cycles, t.other_ready_cycles
        stream = t.stream_start_cycles, t.stream_issued_cycles, t.stream_ready_cycles
        rows += [stream, other] if dataflow is Dataflow.OUTPUT_STATIONARY else [other, stream]
    return np.array(rows, np.int64)


def log_times(array: Array, stream: Sequence[Fold], log: EventLog) -> Integers:
    """The same moments from the events alone.

    A job starts as long before its first event as that row was withheld and then took on the port, is issued with its
    last one, and ready when that one arrives at PE(R-1,C-1). A load is ready when it is issued.
    """
    on_port = array.row_load_cycles - 1

    def moments(fold: int, issue: ArrayEvent, arrival: ArrayEvent, lead_cycles: int) -> Moments:
        issued, arrived = (log.cycle[(log.fold == fold) & (log.event == event)] for event in (issue, arrival))
        return int(issued.min()) - lead_cycles, int(issued.max()) + 1, int(arrived.max()) + 1

    rows: list[Moments] = []
    for number, fold in enumerate(stream):
        if isinstance(fold, OutputFold):
            rows.append(moments(number, ArrayEvent.ROW_ISSUE, ArrayEvent.COMPUTE, sum(fold.step_gaps[:1]) + on_port))
            rows.append(moments(number, ArrayEvent.DRAIN_ISSUE, ArrayEvent.RESULT, 0))
        else:
            lead = sum(fold.load_gaps[:1]) + on_port
            rows.append(moments(number, ArrayEvent.LOAD_ISSUE, ArrayEvent.LOAD_ISSUE, lead))
            rows.append(moments(number, ArrayEvent.ROW_ISSUE, ArrayEvent.COMPUTE, sum(fold.row_gaps[:1])))
    return np.array(rows, np.int64)
