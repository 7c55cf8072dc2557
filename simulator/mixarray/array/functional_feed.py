"""What the events of a log bring to the edges of a weight-stationary array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixarray.accelerator.enums import WeightLoading
from mixarray.accelerator.model import Array
from mixarray.array.events import ArrayEvent, EventLog, Integers
from mixarray.array.fold import StationaryFold
from mixarray.array.functional_parts import Flags
from mixarray.array.operands import slice_bits, slot_codes
from mixarray.array.regions import region_entries


@dataclass(frozen=True, slots=True)
class LoadFeed:
    """Stationary values by load event; the last entry is what enters when nothing does.

    codes, exists: (loads + 1, slots, C). row: the array row that keeps the word. buffer: the register it goes to.
    """

    codes: Integers
    exists: Flags
    row: Integers
    buffer: Integers


@dataclass(frozen=True, slots=True)
class PassFeed:
    """Streamed values by pass; the last entry is what enters when nothing does.

    codes, exists: (passes + 1, lanes, R). slot: (passes + 1, lanes), what each lane multiplies with. buffer, shift_bits
    (at the accumulator), result_row, first_n, width: (passes + 1,). regions: (3, passes + 1), see `region_entries`;
    regions_held: of what stays, not of what streams.
    """

    codes: Integers
    exists: Flags
    slot: Integers
    buffer: Integers
    shift_bits: Integers
    result_row: Integers
    first_n: Integers
    width: Integers
    regions: Integers
    regions_held: bool


@dataclass(frozen=True, slots=True)
class StationaryFeed:
    """Both edges, and how many sets of stationary registers each PE has."""

    loads: LoadFeed
    passes: PassFeed
    buffers: int


def stationary_feed(
    array: Array, folds: Sequence[StationaryFold], log: EventLog, streaming: Integers, stationary: Integers
) -> StationaryFeed:
    """The values behind every load and every pass of `log`; operands of shapes (M, K) and (K, N)."""
    buffers = 2 if array.weight_loading is WeightLoading.DOUBLE else 1
    loads = _load_feed(array, folds, log.of(ArrayEvent.LOAD_ISSUE), stationary, buffers)
    return StationaryFeed(loads, _pass_feed(array, folds, log.of(ArrayEvent.ROW_ISSUE), streaming, buffers), buffers)


def _load_feed(
    array: Array, folds: Sequence[StationaryFold], log: EventLog, stationary: Integers, buffers: int
) -> LoadFeed:
    slots = max(mode.slots for mode in array.pe_modes)
    codes = np.zeros((len(log) + 1, slots, array.columns), np.int64)
    exists = np.zeros(codes.shape, np.bool_)
    for fold, events in zip(folds, _by_fold(log, len(folds)), strict=True):
        mode = fold.runs[0].mode
        tile = stationary[fold.first_k : fold.first_k + fold.depth, fold.first_n : fold.first_n + fold.width]
        held, filled = slot_codes(tile, mode, array.rows)
        rows = log.row[events]
        codes[events, : mode.slots, : fold.width] = held[:, rows].swapaxes(0, 1)
        exists[events, : mode.slots, : fold.width] = filled[:, rows].swapaxes(0, 1)
    return LoadFeed(codes, exists, np.append(log.row, -1), np.append(log.fold % buffers, 0))


def _pass_feed(
    array: Array, folds: Sequence[StationaryFold], log: EventLog, streaming: Integers, buffers: int
) -> PassFeed:
    modes = {(mode.stream_bits, mode.stationary_bits): mode for mode in array.pe_modes}
    lanes = max(mode.lanes for mode in modes.values())
    codes = np.zeros((len(log) + 1, lanes, array.rows), np.int64)
    exists = np.zeros(codes.shape, np.bool_)
    slot = np.zeros((len(log) + 1, lanes), np.int64)
    shift_bits, result_row, first_n, width = np.zeros((4, len(log) + 1), np.int64)
    regions = region_entries([None] * (len(log) + 1))
    held_regions = any(fold.held is not None for fold in folds)
    for fold, events in zip(folds, _by_fold(log, len(folds)), strict=True):
        held = slice(fold.first_k, fold.first_k + fold.depth)
        first_n[events], width[events] = fold.first_n, fold.width
        result_row[events] = fold.first_row + log.row[events]
        by_row = [fold.held if held_regions else run.regions for run in fold.runs for _ in range(run.rows)]
        regions[:, events] = region_entries(by_row)[:, log.row[events]]
        for bits in sorted({(run.mode.stream_bits, run.mode.stationary_bits) for run in fold.runs}):
            mode = modes[bits]
            mine = events[(log.stream_bits[events] == bits[0]) & (log.stationary_bits[events] == bits[1])]
            # slots of K: as many as a fold covers; the slices of a split value all meet the same streamed value
            covered = mode.fold_depth(array.rows)
            values = np.zeros((len(mine), covered), np.int64)
            values[:, : fold.depth] = streaming[result_row[mine], held]
            by_slot = values.reshape(len(mine), -1, array.rows)
            real = (np.arange(covered) < fold.depth).reshape(-1, array.rows)
            shift_bits[mine] = log.pass_number[mine] * slice_bits(mode) if mode.slots_per_value > 1 else 0
            for lane in range(mode.lanes):
                slot[mine, lane] = log.pass_number[mine] * mode.lanes + lane
                part = slot[mine, lane] if mode.slots_per_value == 1 else np.zeros(len(mine), np.int64)
                codes[mine, lane] = by_slot[np.arange(len(mine)), part]
                exists[mine, lane] = real[part]
    buffer = np.append(log.fold % buffers, 0)
    return PassFeed(
        codes, exists, slot, buffer, shift_bits, result_row, first_n, width, regions, held_regions
    )  # fmt: skip


def _by_fold(log: EventLog, folds: int) -> list[Integers]:
    """Numbers of the events of each fold."""
    order = np.argsort(log.fold, kind="stable")
    return np.split(order, np.searchsorted(log.fold[order], np.arange(1, folds)))
