"""Operands as they enter the multipliers: signed codes in the range of their mode, and how values lie in the slots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixarray.accelerator.modes import Mode
from mixarray.array.events import Integers
from mixarray.array.problem import Problem
from mixarray.array.regions import Regions
from mixarray.errors import InputError

Codes = NDArray[np.integer]


def check_operands(problem: Problem, streaming: Codes, stationary: Codes) -> tuple[Integers, Integers]:
    """Both operands as int64, of shapes (M, K) and (K, N).

    Raises InputError for a wrong shape, anything but integers, a code outside the signed range of its row's mode or of
    its regions, or regions of codes that are held in slices: the flag would lie in one of them.
    """
    left = _integers("streaming operand", streaming, (problem.m, problem.k))
    right = _integers("stationary operand", stationary, (problem.k, problem.n))
    first = 0
    for run in problem.runs:
        _check_range("streaming operand", left[first : first + run.rows], run.mode.stream_bits, first)
        if run.regions is not None:
            _check_range("streaming operand", left[first : first + run.rows], run.regions.bits, first)
        _check_range("stationary operand", right, run.mode.stationary_bits, 0)
        if problem.held is not None:
            _check_held(problem.held, run.mode, right)
        first += run.rows
    return left, right


def slot_codes(tile: Integers, mode: Mode, rows: int) -> tuple[Integers, NDArray[np.bool_]]:
    """A tile (depth, width) as the slots of `rows` array rows hold it, and where they hold a value at all.

    Both have shape (slots, rows, width). Slot 0 of all rows is filled first. A value that takes several slots lies in
    slices in the slots of one row, the lowest bits first and unsigned, the highest signed; empty places hold 0.
    """
    depth, width = tile.shape
    if mode.slots_per_value == 1:
        codes = np.zeros((mode.slots * rows, width), np.int64)
        codes[:depth] = tile
        exists = np.broadcast_to((np.arange(mode.slots * rows) < depth)[:, None], codes.shape)
        return codes.reshape(mode.slots, rows, width), exists.reshape(mode.slots, rows, width)
    padded = np.zeros((rows, width), np.int64)
    padded[:depth] = tile
    bits = slice_bits(mode)
    slices = [(padded >> (bits * slot)) & ((1 << bits) - 1) for slot in range(mode.slots - 1)]
    slices.append(padded >> (bits * (mode.slots - 1)))
    exists = np.broadcast_to((np.arange(rows) < depth)[None, :, None], (mode.slots, rows, width))
    return np.stack(slices), exists


def slice_bits(mode: Mode) -> int:
    """Bits of one slice of a stationary value, by which each pass is shifted against the one before it."""
    return mode.stationary_bits // mode.slots_per_value


def _check_held(held: Regions, mode: Mode, codes: Integers) -> None:
    if mode.slots_per_value > 1:
        raise InputError("stationary operand", "codes of two regions cannot be held in slices: where is the flag?")
    _check_range("stationary operand", codes, held.bits, 0)


def _integers(where: str, values: Codes, shape: tuple[int, int]) -> Integers:
    if not np.issubdtype(values.dtype, np.integer):
        raise InputError(where, f"holds {values.dtype}; the codes that enter a multiplier are integers")
    if values.shape != shape:
        raise InputError(where, f"has shape {values.shape}; the problem says {shape}")
    return values.astype(np.int64)


def _check_range(where: str, values: Integers, bits: int, first_row: int) -> None:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    wrong = np.argwhere((values < low) | (values > high))
    if len(wrong):
        row, column = wrong[0].tolist()
        value = int(values[row, column])
        place = f"row {row + first_row}, column {column}"
        raise InputError(where, f"{value} is outside {low} .. {high} of {bits} signed bits", place)
