"""Rows of weights as the beats that bring them through a port."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixarray.accelerator.model import Array

Bytes = NDArray[np.uint8]


def port_bits(array: Array) -> int:
    """Bits that one beat brings: never more than a row has."""
    return min(array.weight_port_bits, array.columns * array.pe_stationary_bits)


def cut_beats(array: Array, rows: Bytes) -> Bytes:
    """Rows (rows, C) as beats (rows * beats per row, C): each has the next bits of its row in its low bits, then 0."""
    width, beats = port_bits(array), array.row_load_cycles
    bits = np.unpackbits(rows, axis=1, bitorder="little")
    bits = np.pad(bits, ((0, 0), (0, beats * width - bits.shape[1]))).reshape(len(rows) * beats, width)
    packed = np.packbits(bits, axis=1, bitorder="little")
    return np.ascontiguousarray(np.pad(packed, ((0, 0), (0, array.columns - packed.shape[1]))))


def beat_gaps(array: Array, rows: int, gaps: Sequence[int]) -> NDArray[np.int32]:
    """Cycles that each beat is withheld, shape (rows, beats per row), from those of the rows (empty: never).

    A row may be withheld before any of its beats: each row before another one.
    """
    table = np.zeros((rows, array.row_load_cycles), np.int32)
    table[np.arange(rows), np.arange(rows) % array.row_load_cycles] = gaps or 0
    return table
