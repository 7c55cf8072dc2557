"""What both functional models share: registers that move, events at the edges, sums that must fit, events that arrive.

A tag is the number of an event among those of its kind in the log; NONE travels where nothing does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mixarray.array.events import ArrayEvent, EventLog, Integers

Flags = NDArray[np.bool_]

NONE = -1
"""The tag of nothing; as an index it names the last entry, which every table of events keeps empty for it."""
_SAFE_BITS = 62
"""Sums of this many bits plus one product of two 32-bit codes never wrap in int64."""


class AccumulatorOverflowError(ArithmeticError):
    """A sum that its register cannot hold: `row` and `column` of the result, the `value` and the register's `bits`."""

    def __init__(self, row: int, column: int, value: int, bits: int) -> None:
        self.row, self.column, self.value, self.bits = row, column, value, bits
        super().__init__(f"row {row}, column {column}: the sum {value} does not fit {bits} signed bits")


class EventMismatchError(RuntimeError):
    """The log says otherwise than what happens in the array."""


@dataclass(frozen=True, slots=True)
class FunctionalRun:
    """Outputs (M, N), and in how many cycles each PE multiplied values that exist (R, C), counted as they met.

    wasted_passes: passes (steps) that met no such values in any PE, and so cost a cycle for nothing.
    """

    outputs: Integers
    active_cycles: Integers
    wasted_passes: int


def move_right(registers: NDArray[Any], edge: NDArray[Any]) -> None:
    """One cycle of registers (..., R, C) from left to right; `edge` (..., R) enters."""
    registers[..., :, 1:] = registers[..., :, :-1]
    registers[..., :, 0] = edge


def move_down(registers: NDArray[Any], edge: NDArray[Any] | int) -> None:
    """One cycle of registers (..., R, C) from top to bottom; `edge` (..., C) enters."""
    registers[..., 1:, :] = registers[..., :-1, :]
    registers[..., 0, :] = edge


def edge_tags(log: EventLog, cycles: int, lanes: int) -> Integers:
    """Tags entering an edge of `lanes` rows or columns, shape (cycles, lanes): lane i sees each event i cycles later.

    Raises EventMismatchError where two events would enter in one cycle.
    """
    if len(np.unique(log.cycle)) != len(log):
        cycle = log.cycle[1:][np.diff(log.cycle) == 0][0]
        raise EventMismatchError(f"cycle {cycle}: two events enter at once: {', '.join(log.lines())[:200]}")
    tags = np.full(lanes + cycles, NONE, np.int64)
    tags[log.cycle + lanes] = np.arange(len(log))
    return sliding_window_view(tags, lanes)[1:, ::-1]


def first_overflow(left: Integers, right: Integers, total: Integers, bits: int) -> tuple[tuple[int, ...], int] | None:
    """(index, exact value) of the first of `total` = left + right that does not fit `bits` signed bits, if any."""
    high = (1 << (bits - 1)) - 1
    if bits <= _SAFE_BITS and total.max() <= high and total.min() >= ~high:
        return None
    wrong = (total > high) | (total < ~high)
    if bits > _SAFE_BITS:
        wrong |= ((left ^ total) & (right ^ total)) < 0
    places = np.argwhere(wrong)
    if not len(places):
        return None
    place = tuple(places[0].tolist())
    return place, int(left[place]) + int(right[place])


def check_arrivals(log: EventLog, kind: ArrayEvent, issues: EventLog, seen: list[tuple[int, int]]) -> None:
    """Compare the log's events of a `kind` at PE(R-1,C-1) with the tags `seen` there: (cycle, tag in `issues`).

    Raises EventMismatchError at the first difference.
    """
    cycles, tags = np.array(seen, np.int64).reshape(-1, 2).T
    arrived = np.column_stack([cycles, issues.table()[tags, 2:]])
    claimed = np.delete(log.of(kind).table(), 1, axis=1)
    if np.array_equal(arrived, claimed):
        return
    common = min(len(arrived), len(claimed))
    differing = np.flatnonzero((arrived[:common] != claimed[:common]).any(axis=1))
    place = int(differing[0]) if len(differing) else common
    found, expected = (rows[place].tolist() if place < len(rows) else "nothing" for rows in (arrived, claimed))
    raise EventMismatchError(
        f"{kind.name.lower()} number {place} (cycle, fold, row, bits, bits, pass): log {expected}, array {found}"
    )
