"""The weight-stationary array: folds to events. Input-stationary is the same on the transposed problem.

Cycle 0 is the first load row's issue. A load row issued in cycle i is written at PE(r,c) at the end of cycle i+r+c;
a pass issued in cycle s computes at PE(r,c) in cycle s+r+c. There is no swap event: each row's tag selects the
buffer. A withheld row is a bubble; nothing freezes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixarray.accelerator.enums import WeightLoading
from mixarray.accelerator.model import Array
from mixarray.array.events import ArrayEvent, EventLog, Integers, event_rows, make_log
from mixarray.array.fold import StationaryFold


@dataclass(frozen=True, slots=True)
class FoldTimes:
    """When one fold's two jobs start and end, in cycles: `issued` frees the port or the array, `ready` is the result.

    Stationary: `other` is the load, before the stream. Output-stationary: `other` is the drain, after it.
    """

    other_start_cycles: int
    other_issued_cycles: int
    other_ready_cycles: int
    stream_start_cycles: int
    stream_issued_cycles: int
    stream_ready_cycles: int


@dataclass(frozen=True, slots=True)
class Expansion:
    """A fold stream in full: every event, and the times of every fold."""

    log: EventLog
    times: tuple[FoldTimes, ...]

    @property
    def total_cycles(self) -> int:
        """1 + the cycle of the last event, which is one at PE(R-1,C-1); 0 where nothing happens."""
        return 1 + int(self.log.cycle.max(initial=-1))


def expand_stationary(array: Array, folds: Sequence[StationaryFold]) -> Expansion:
    """Every event of a stream of folds on a weight-stationary array (design 5)."""
    travel = array.rows + array.columns - 2
    parts: list[Integers] = []
    times: list[FoldTimes] = []
    for number, fold in enumerate(folds):
        load_start = max(times[-1].other_issued_cycles if times else 0, _room(array.weight_loading, times))
        loads = _load_cycles(array, fold, load_start)
        load_issued = int(loads[-1]) + 1
        start = max(times[-1].stream_issued_cycles if times else 0, load_issued)
        cycles, row, passes, stream_bits, stationary_bits = _passes(array, fold, start)
        issued = int(cycles[-1]) + 1 if len(cycles) else start
        bits = stream_bits, stationary_bits, passes
        parts.append(event_rows(ArrayEvent.LOAD_ISSUE, loads, number, np.arange(len(loads))))
        parts.append(event_rows(ArrayEvent.ROW_ISSUE, cycles, number, row, *bits))
        parts.append(event_rows(ArrayEvent.COMPUTE, cycles + travel, number, row, *bits))
        times.append(FoldTimes(load_start, load_issued, load_issued, start, issued, issued + travel))
    return Expansion(make_log(parts), tuple(times))


def _room(policy: WeightLoading, times: list[FoldTimes]) -> int:
    """The cycle from which the next tile may enter: when the stream that used its registers is done with them."""
    match policy:
        case WeightLoading.SERIAL:
            return times[-1].stream_ready_cycles if times else 0
        case WeightLoading.SINGLE:
            return times[-1].stream_issued_cycles if times else 0
        case WeightLoading.DOUBLE:
            return times[-2].stream_issued_cycles if len(times) > 1 else 0


def _load_cycles(array: Array, fold: StationaryFold, start: int) -> Integers:
    """When each load row is issued: with the last of its words on the port."""
    rows = fold.load_rows(array)
    waited = np.cumsum(fold.load_gaps or np.zeros(rows, np.int64))
    return start + waited + (np.arange(rows) + 1) * array.row_load_cycles - 1


def _passes(array: Array, fold: StationaryFold, start: int) -> tuple[Integers, ...]:
    """(cycle, row, pass, streaming bits, stationary bits) of every pass; those of a row are consecutive."""
    counts = np.concatenate([np.full(run.rows, run.mode.passes(fold.depth, array.rows), np.int64) for run in fold.runs])
    stream = np.concatenate([np.full(run.rows, run.mode.stream_bits, np.int64) for run in fold.runs])
    stationary = np.concatenate([np.full(run.rows, run.mode.stationary_bits, np.int64) for run in fold.runs])
    waited = np.cumsum(fold.row_gaps or np.zeros(len(counts), np.int64))
    first = start + waited + np.cumsum(counts) - counts
    row = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return first[row] + number, row, number, stream[row], stationary[row]
