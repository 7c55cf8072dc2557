"""GEMMs as what the packed W4 array is offered: beats of weight rows, and streamed rows, each with its tag and gap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixarray.accelerator.model import Array
from mixarray.array.fold import StationaryFold
from mixarray_analysis.validation.rtl.beats import Bytes, beat_gaps, cut_beats
from mixarray_analysis.validation.rtl.draws import Codes

MODES = ((4, 4), (8, 4), (8, 8))
"""(streaming bits, stationary bits) in the order of the hardware's numbers."""

Table = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Gemm:
    """One GEMM cut into folds, with its operands: activations (M, K) and weights (K, N), codes of the runs' bits."""

    folds: tuple[StationaryFold, ...]
    activations: Codes
    weights: Codes

    def product(self) -> NDArray[np.int64]:
        """What it should yield, shape (M, N)."""
        return self.activations.astype(np.int64) @ self.weights.astype(np.int64)

    def tiles(self, array: Array) -> int:
        """Column tiles: each has an accumulator entry for every row."""
        return -(-int(self.weights.shape[1]) // array.columns)


@dataclass(frozen=True, slots=True)
class Feed:
    """Everything the array is offered, in order.

    beats: (beats, 4) gap, fold, row, rows that hold values; beat_bytes: (beats, C).
    rows: (rows, 8) gap, fold, row, mode, both slots, first, last, entry; row_codes: (rows, 2R).
    entries: accumulator entries that the results take.
    """

    beats: Table
    beat_bytes: Bytes
    rows: Table
    row_codes: Codes
    entries: int


def make_feed(array: Array, gemms: Sequence[Gemm]) -> Feed:
    """The GEMMs one behind the other; fold numbers and accumulator entries run on."""
    loads, streams = [], []
    number = entries = 0
    for gemm in gemms:
        for fold in gemm.folds:
            loads.append(_load(array, gemm, fold, number))
            streams.append(_stream(array, gemm, fold, number, entries))
            number += 1
        entries += gemm.tiles(array) * len(gemm.activations)
    beats, beat_bytes = (np.ascontiguousarray(np.concatenate(parts)) for parts in zip(*loads, strict=True))
    rows, row_codes = (np.ascontiguousarray(np.concatenate(parts)) for parts in zip(*streams, strict=True))
    return Feed(beats, beat_bytes, rows, row_codes, entries)


def read_results(array: Array, gemms: Sequence[Gemm], entries: Table) -> Iterator[Table]:
    """Accumulators (entries, C) as one (M, N) per GEMM."""
    start = 0
    for gemm in gemms:
        m, n = len(gemm.activations), gemm.weights.shape[1]
        tiles = gemm.tiles(array)
        part = entries[start : start + tiles * m].reshape(tiles, m, array.columns)
        yield part.transpose(1, 0, 2).reshape(m, tiles * array.columns)[:, :n]
        start += tiles * m


def _load(array: Array, gemm: Gemm, fold: StationaryFold, number: int) -> tuple[Table, Bytes]:
    """The beats of a fold's tile."""
    rows = fold.load_rows(array)
    table = np.zeros((rows, array.row_load_cycles, 4), np.int32)
    table[:, :, 0] = beat_gaps(array, rows, fold.load_gaps)
    table[:, :, 1] = number
    table[:, :, 2] = np.arange(rows)[:, None]
    table[:, :, 3] = min(fold.depth, array.rows)
    return table.reshape(-1, 4), cut_beats(array, _tile(array, gemm, fold)[:rows])


def _tile(array: Array, gemm: Gemm, fold: StationaryFold) -> Bytes:
    """A byte for each PE, shape (R, C): slot 1 in the high nibble, slot 0 in the low one."""
    rows, width = array.rows, slice(0, fold.width)
    values = gemm.weights[fold.first_k :, fold.first_n :][: fold.depth, : fold.width].view(np.uint8)
    tile = np.zeros((rows, array.columns), np.uint8)
    if fold.runs[0].mode.slots_per_value == 2:
        tile[: fold.depth, width] = values
    else:
        tile[: min(rows, fold.depth), width] = values[:rows] & 15
        tile[: max(0, fold.depth - rows), width] |= values[rows:] << 4
    return tile


def _stream(array: Array, gemm: Gemm, fold: StationaryFold, number: int, entries: int) -> tuple[Table, Codes]:
    """The rows of a fold with all their codes of K; what lies beyond K is 0."""
    rows = np.arange(fold.rows)
    modes = [MODES.index((run.mode.stream_bits, run.mode.stationary_bits)) for run in fold.runs]
    tile = fold.first_n // array.columns
    table = np.zeros((fold.rows, 8), np.int32)
    table[:, 0] = fold.row_gaps or 0
    table[:, 1] = number
    table[:, 2] = rows
    table[:, 3] = np.repeat(modes, [run.rows for run in fold.runs])
    table[:, 4] = fold.depth > array.rows
    table[:, 5] = fold.first_k == 0
    table[-1, 6] = 1
    table[:, 7] = entries + tile * len(gemm.activations) + fold.first_row + rows
    codes = np.zeros((fold.rows, 2 * array.rows), np.int8)
    part = gemm.activations[fold.first_row : fold.first_row + fold.rows, fold.first_k : fold.first_k + fold.depth]
    codes[:, : fold.depth] = part
    return table, codes
