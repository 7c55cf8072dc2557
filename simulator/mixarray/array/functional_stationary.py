"""The weight-stationary array as registers: what happens to the numbers when the log's events enter at its edges.

Words move down until they reach their row, codes move right, partial sums move down beneath the tags of their codes.
In every cycle all PEs compute from what arrived, and what is loaded is written at the cycle's end. Nothing guards a
register: a word that arrives too early replaces a value that is still needed, as in hardware.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixarray.accelerator.model import Array
from mixarray.array.events import ArrayEvent, EventLog, Integers
from mixarray.array.functional_feed import LoadFeed, PassFeed, StationaryFeed
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

_GARBAGE = 7
"""What registers hold before anything is loaded: a 0 would hide that they are read too early."""


@dataclass(frozen=True, slots=True)
class _Registers:
    """Of all PEs. words: on their way down; held: (buffers, slots, R, C). A flag says whether a value exists.

    useful: (passes,), whether any PE multiplied values that exist in this pass.
    """

    word_tags: Integers
    words: Integers
    word_exists: Flags
    held: Integers
    held_exists: Flags
    tags: Integers
    codes: Integers
    code_exists: Flags
    sums: Integers
    sum_tags: Integers
    active_cycles: Integers
    useful: Flags


def run_stationary(array: Array, feed: StationaryFeed, log: EventLog, shape: tuple[int, int]) -> FunctionalRun:
    """Advance the array cycle by cycle; outputs have `shape` (M, N).

    Raises AccumulatorOverflowError, or EventMismatchError where the COMPUTE events of the log are not those that
    happen.
    """
    loads, passes = log.of(ArrayEvent.LOAD_ISSUE), log.of(ArrayEvent.ROW_ISSUE)
    cycles = int(log.cycle.max(initial=0)) + array.rows + array.columns
    load_edge, pass_edge = edge_tags(loads, cycles, array.columns), edge_tags(passes, cycles, array.rows)
    registers = _registers(array, feed, len(passes))
    outputs = np.zeros(shape, np.int64)
    seen: list[tuple[int, int]] = []
    for cycle in range(cycles):
        _arrive(registers, feed, load_edge[cycle], pass_edge[cycle])
        _compute(registers, feed.passes, array.accumulator_bits)
        _accumulate(registers, feed.passes, outputs, array.accumulator_bits)
        _write(registers, feed.loads)
        if registers.tags[-1, -1] != NONE:
            seen.append((cycle, int(registers.tags[-1, -1])))
    check_arrivals(log, ArrayEvent.COMPUTE, passes, seen)
    return FunctionalRun(outputs, registers.active_cycles, int(np.count_nonzero(~registers.useful)))


def _registers(array: Array, feed: StationaryFeed, passes: int) -> _Registers:
    size = array.rows, array.columns
    slots, lanes = feed.loads.codes.shape[1], feed.passes.codes.shape[1]
    return _Registers(
        word_tags=np.full(size, NONE, np.int64),
        words=np.zeros((slots, *size), np.int64),
        word_exists=np.zeros((slots, *size), np.bool_),
        held=np.full((feed.buffers, slots, *size), _GARBAGE, np.int64),
        held_exists=np.zeros((feed.buffers, slots, *size), np.bool_),
        tags=np.full(size, NONE, np.int64),
        codes=np.zeros((lanes, *size), np.int64),
        code_exists=np.zeros((lanes, *size), np.bool_),
        sums=np.zeros(size, np.int64),
        sum_tags=np.full(size, NONE, np.int64),
        active_cycles=np.zeros(size, np.int64),
        useful=np.zeros(passes, np.bool_),
    )


def _arrive(registers: _Registers, feed: StationaryFeed, load_edge: Integers, pass_edge: Integers) -> None:
    """Everything moves by one PE; column c of the top and row r of the left edge take what their tags bring."""
    columns, rows = np.arange(len(load_edge)), np.arange(len(pass_edge))
    move_down(registers.word_tags, load_edge)
    move_down(registers.words, feed.loads.codes[load_edge, :, columns].T)
    move_down(registers.word_exists, feed.loads.exists[load_edge, :, columns].T)
    move_right(registers.tags, pass_edge)
    move_right(registers.codes, feed.passes.codes[pass_edge, :, rows].T)
    move_right(registers.code_exists, feed.passes.exists[pass_edge, :, rows].T)
    move_down(registers.sums, 0)
    move_down(registers.sum_tags, registers.tags[0])
    if not np.array_equal(registers.sum_tags, registers.tags):
        raise EventMismatchError("a partial sum meets the code of another pass")


def _compute(registers: _Registers, passes: PassFeed, bits: int) -> None:
    """Each PE adds its products to the partial sum from above; the tag selects buffer, slot and shift."""
    tags, above = registers.tags, registers.sums.copy()
    rows, columns = np.ogrid[: tags.shape[0], : tags.shape[1]]
    buffer = passes.buffer[tags]
    active = np.zeros(tags.shape, np.bool_)
    products = np.zeros(tags.shape, np.int64)
    for lane, (codes, exists) in enumerate(zip(registers.codes, registers.code_exists, strict=True)):
        place = buffer, passes.slot[tags, lane], rows, columns
        pair = (registers.held[place], codes) if passes.regions_held else (codes, registers.held[place])
        products += products_of(*pair, passes.regions, tags)
        active |= exists & registers.held_exists[place]
    registers.active_cycles[...] += active
    registers.useful[tags[active]] = True
    registers.sums[...] = above + products
    found = first_overflow(above, products, registers.sums, bits)
    if found is not None:
        (row, column), value = found
        tag = tags[row, column]
        raise AccumulatorOverflowError(int(passes.result_row[tag]), int(passes.first_n[tag]) + column, value, bits)


def _accumulate(registers: _Registers, passes: PassFeed, outputs: Integers, bits: int) -> None:
    """What leaves the last row is shifted as its pass says and added to the result it belongs to."""
    tags = registers.tags[-1]
    columns = np.flatnonzero((tags != NONE) & (np.arange(len(tags)) < passes.width[tags]))
    if not len(columns):
        return
    tags = tags[columns]
    place = passes.result_row[tags], passes.first_n[tags] + columns
    before, added = outputs[place], registers.sums[-1, columns] << passes.shift_bits[tags]
    outputs[place] = before + added
    found = first_overflow(before, added, outputs[place], bits)
    if found is not None:
        (index,), value = found
        raise AccumulatorOverflowError(int(place[0][index]), int(place[1][index]), value, bits)


def _write(registers: _Registers, loads: LoadFeed) -> None:
    """At the end of the cycle a word that has reached its row is kept, in the buffer of its fold."""
    tags = registers.word_tags
    rows, columns = np.nonzero(loads.row[tags] == np.arange(len(tags))[:, None])
    if len(rows):
        place = loads.buffer[tags[rows, columns]], slice(None), rows, columns
        registers.held[place] = registers.words[:, rows, columns].T
        registers.held_exists[place] = registers.word_exists[:, rows, columns].T
