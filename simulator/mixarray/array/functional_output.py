"""The output-stationary array as registers: sums stay, codes pass through, and results leave downwards.

A drain's first step sends each PE's own sum down and keeps what comes from above; later steps send what was kept. Under
`double` that second register drains while the next fold adds; under the other policies the sum's own register does
both, so a fold that starts too early destroys results that have not left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixarray.accelerator.enums import WeightLoading
from mixarray.accelerator.model import Array
from mixarray.array.events import ArrayEvent, EventLog, Integers
from mixarray.array.fold import OutputFold
from mixarray.array.functional_parts import (
    NONE,
    AccumulatorOverflowError,
    EventMismatchError,
    Flags,
    FunctionalRun,
    check_arrivals,
    edge_tags,
    first_overflow,
    move_down,
    move_right,
)
from mixarray.array.regions import products as products_of
from mixarray.array.regions import region_entries


@dataclass(frozen=True, slots=True)
class OutputFeed:
    """What the events bring; the last entry of each is for "nothing arrives".

    codes, code_exists: (steps + 1, R). weights, weight_exists: (steps + 1, C). fold, first: (steps + 1,), of a step.
    drain_fold, drain_step: (drains + 1,). own_drain: whether sums being drained have a register of their own.
    regions: (3, steps + 1), see `region_entries`.
    """

    codes: Integers
    code_exists: Flags
    weights: Integers
    weight_exists: Flags
    fold: Integers
    first: Flags
    drain_fold: Integers
    drain_step: Integers
    own_drain: bool
    regions: Integers


@dataclass(frozen=True, slots=True)
class _Registers:
    """Of all PEs, shape (R, C); `leaving` is what each sends down, `kept` what its drain still has to send.

    useful: (steps,), whether any PE multiplied values that exist in this step.
    """

    tags: Integers
    codes: Integers
    code_exists: Flags
    weight_tags: Integers
    weights: Integers
    weight_exists: Flags
    sums: Integers
    drain_tags: Integers
    kept: Integers
    leaving: Integers
    active_cycles: Integers
    useful: Flags


def output_feed(
    array: Array, folds: Sequence[OutputFold], log: EventLog, streaming: Integers, stationary: Integers
) -> OutputFeed:
    """The values behind every step of `log`; operands of shapes (M, K) and (K, N)."""
    steps, drains = log.of(ArrayEvent.ROW_ISSUE), log.of(ArrayEvent.DRAIN_ISSUE)
    codes = np.zeros((len(steps) + 1, array.rows), np.int64)
    weights = np.zeros((len(steps) + 1, array.columns), np.int64)
    code_exists, weight_exists = np.zeros(codes.shape, np.bool_), np.zeros(weights.shape, np.bool_)
    for number, fold in enumerate(folds):
        mine = np.flatnonzero(steps.fold == number)
        last_rows, first_columns = slice(array.rows - fold.height, None), slice(0, fold.width)
        tile_rows = slice(fold.first_row, fold.first_row + fold.height)
        tile_columns = slice(fold.first_n, fold.first_n + fold.width)
        codes[mine, last_rows] = streaming[tile_rows, steps.row[mine]].T
        weights[mine, first_columns] = stationary[steps.row[mine], tile_columns]
        code_exists[mine, last_rows] = weight_exists[mine, first_columns] = True
    return OutputFeed(
        codes, code_exists, weights, weight_exists,
        np.append(steps.fold, 0), np.append(steps.row == 0, False),
        np.append(drains.fold, 0), np.append(drains.row, 0),
        array.weight_loading is WeightLoading.DOUBLE,
        region_entries([*(folds[fold].regions for fold in steps.fold), None]),
    )  # fmt: skip


def run_output(
    array: Array, folds: Sequence[OutputFold], feed: OutputFeed, log: EventLog, shape: tuple[int, int]
) -> FunctionalRun:
    """Advance the array cycle by cycle; outputs have `shape` (M, N).

    Raises AccumulatorOverflowError, or EventMismatchError where the COMPUTE or RESULT events of the log are not those
    that happen.
    """
    steps, drains = log.of(ArrayEvent.ROW_ISSUE), log.of(ArrayEvent.DRAIN_ISSUE)
    cycles = int(log.cycle.max(initial=0)) + array.rows + array.columns
    edges = [edge_tags(*edge) for edge in (
        (steps, cycles, array.rows), (steps, cycles, array.columns), (drains, cycles, array.columns)
    )]  # fmt: skip
    registers = _registers(array, feed.own_drain, len(steps))
    outputs = np.zeros(shape, np.int64)
    computed: list[tuple[int, int]] = []
    drained: list[tuple[int, int]] = []
    for cycle in range(cycles):
        _arrive(registers, feed, *(edge[cycle] for edge in edges))
        before = registers.sums.copy()
        _drain(registers, feed, before)
        _accumulate(array, folds, registers, feed, before)
        _collect(array, folds, registers, feed, outputs)
        for tag, seen in ((registers.tags[-1, -1], computed), (registers.drain_tags[-1, -1], drained)):
            if tag != NONE:
                seen.append((cycle, int(tag)))
    check_arrivals(log, ArrayEvent.COMPUTE, steps, computed)
    check_arrivals(log, ArrayEvent.RESULT, drains, drained)
    return FunctionalRun(outputs, registers.active_cycles, int(np.count_nonzero(~registers.useful)))


def _registers(array: Array, own_drain: bool, steps: int) -> _Registers:
    size = array.rows, array.columns
    numbers = [np.zeros(size, np.int64) for _ in range(5)]
    tags = [np.full(size, NONE, np.int64) for _ in range(3)]
    flags = [np.zeros(size, np.bool_) for _ in range(2)]
    codes, weights, sums, leaving, active = numbers
    kept = np.zeros(size, np.int64) if own_drain else sums
    return _Registers(
        tags[0], codes, flags[0], tags[1], weights, flags[1], sums, tags[2], kept, leaving, active,
        np.zeros(steps, np.bool_),
    )  # fmt: skip


def _arrive(registers: _Registers, feed: OutputFeed, left: Integers, top: Integers, drain: Integers) -> None:
    """Everything moves by one PE."""
    rows, columns = np.arange(len(left)), np.arange(len(top))
    move_right(registers.tags, left)
    move_right(registers.codes, feed.codes[left, rows])
    move_right(registers.code_exists, feed.code_exists[left, rows])
    move_down(registers.weight_tags, top)
    move_down(registers.weights, feed.weights[top, columns])
    move_down(registers.weight_exists, feed.weight_exists[top, columns])
    move_down(registers.drain_tags, drain)
    move_down(registers.leaving, 0)
    if not np.array_equal(registers.tags, registers.weight_tags):
        raise EventMismatchError("a code meets the weight of another step")


def _drain(registers: _Registers, feed: OutputFeed, sums: Integers) -> None:
    """Send the own sum in a drain's first step, later what was kept; keep what came from above."""
    draining = registers.drain_tags != NONE
    first = feed.drain_step[registers.drain_tags] == 0
    above = registers.leaving.copy()
    registers.leaving[...] = np.where(draining, np.where(first, sums, registers.kept), 0)
    registers.kept[...] = np.where(draining, above, registers.kept)


def _accumulate(
    array: Array, folds: Sequence[OutputFold], registers: _Registers, feed: OutputFeed, before: Integers
) -> None:
    """Add each PE's product to its sum as it was when the cycle began; a fold's first step starts from 0."""
    computing = registers.tags != NONE
    base = np.where(feed.first[registers.tags], 0, before)
    products = products_of(registers.codes, registers.weights, feed.regions, registers.tags)
    total = base + products
    active = registers.code_exists & registers.weight_exists
    registers.active_cycles[...] += active
    registers.useful[registers.tags[active]] = True
    found = first_overflow(base, products, np.where(computing, total, 0), array.accumulator_bits)
    if found is not None:
        (row, column), value = found
        fold = folds[int(feed.fold[registers.tags[row, column]])]
        result_row = fold.first_row + row - (array.rows - fold.height)
        raise AccumulatorOverflowError(result_row, fold.first_n + column, value, array.accumulator_bits)
    registers.sums[...] = np.where(computing, total, registers.sums)


def _collect(
    array: Array, folds: Sequence[OutputFold], registers: _Registers, feed: OutputFeed, outputs: Integers
) -> None:
    """What leaves the last row under a drain tag is the sum of array row R-1-step, if its tile has that row."""
    for column in np.flatnonzero(registers.drain_tags[-1] != NONE).tolist():
        tag = registers.drain_tags[-1, column]
        fold, step = folds[int(feed.drain_fold[tag])], int(feed.drain_step[tag])
        if step < fold.height and column < fold.width:
            outputs[fold.first_row + fold.height - 1 - step, fold.first_n + column] = registers.leaving[-1, column]
