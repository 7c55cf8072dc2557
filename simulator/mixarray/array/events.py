"""The event log: what an array does, one line per event. RTL, array model and functional model all speak it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class ArrayEvent(IntEnum):
    """What happens. Issues happen at the array's corner PE(0,0), the others at PE(R-1,C-1)."""

    LOAD_ISSUE = 0
    """A row of stationary values enters; `row` is the array row that it is for."""
    ROW_ISSUE = 1
    """One pass of a streamed row (output-stationary: step k of the reduction) enters."""
    COMPUTE = 2
    """The same pass is computed at PE(R-1,C-1)."""
    DRAIN_ISSUE = 3
    """Output-stationary: step `row` of draining the results enters."""
    RESULT = 4
    """Output-stationary: drain step `row` leaves PE(R-1,C-1), with the sum of array row R-1-`row`."""


COLUMNS = ("cycle", "event", "fold", "row", "stream_bits", "stationary_bits", "pass_number")


@dataclass(frozen=True, slots=True)
class EventLog:
    """Events in canonical order: by cycle, event, fold, row, pass. All columns have shape (events,).

    Bits are those of the mode, 0 where the event has none; pass_number is 0 where there are no passes.
    """

    cycle: Integers
    event: Integers
    fold: Integers
    row: Integers
    stream_bits: Integers
    stationary_bits: Integers
    pass_number: Integers

    def __len__(self) -> int:
        return len(self.cycle)

    def table(self) -> Integers:
        """All columns side by side, shape (events, 7), in the order of COLUMNS."""
        return np.stack([getattr(self, name) for name in COLUMNS], axis=1)

    def lines(self) -> Iterator[str]:
        """One line per event, for people and for diffs."""
        for cycle, event, fold, row, stream, stationary, number in self.table().tolist():
            name = ArrayEvent(event).name.lower()
            mode = f" {stream}x{stationary} pass {number}" if stream else ""
            yield f"{cycle} {name} fold {fold} row {row}{mode}"

    def of(self, event: ArrayEvent) -> EventLog:
        """The events of one kind."""
        return EventLog(*self.table()[self.event == event].T)


def make_log(parts: Sequence[Integers]) -> EventLog:
    """The log of rows shaped (events, 7) given in any order."""
    rows = np.concatenate(parts) if parts else np.zeros((0, len(COLUMNS)), np.int64)
    order = np.lexsort((rows[:, 6], rows[:, 3], rows[:, 2], rows[:, 1], rows[:, 0]))
    return EventLog(*rows[order].T)


def event_rows(
    event: ArrayEvent,
    cycle: Integers,
    fold: int,
    row: Integers,
    stream_bits: Integers | int = 0,
    stationary_bits: Integers | int = 0,
    pass_number: Integers | int = 0,
) -> Integers:
    """Rows of a log, shape (events, 7)."""
    rows = np.empty((len(cycle), len(COLUMNS)), np.int64)
    for place, column in enumerate((cycle, event, fold, row, stream_bits, stationary_bits, pass_number)):
        rows[:, place] = column
    return rows
