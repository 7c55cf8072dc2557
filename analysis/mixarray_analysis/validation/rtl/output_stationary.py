"""Drives the INT8 output-stationary array of `rtl/` and hands back what left it, with the log of its tags."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mixarray.accelerator.enums import Dataflow, WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.array.events import ArrayEvent, EventLog, make_log
from mixarray.array.fold import OutputFold
from mixarray_analysis.validation.rtl.beats import beat_gaps, cut_beats, port_bits
from mixarray_analysis.validation.rtl.build import Fault, build
from mixarray_analysis.validation.rtl.draws import Codes
from mixarray_analysis.validation.rtl.errors import HardwareError, HardwareStallError

SOURCES = ("os_types.sv", "os_pe.sv", "os_skew.sv", "weight_port.sv", "os_controller.sv", "os_array.sv")
BITS = 8
LARGEST_ID = 2**16
"""Tags carry 16 bits of fold and of step."""

POLICIES = {WeightLoading.SERIAL: 0, WeightLoading.SINGLE: 1, WeightLoading.DOUBLE: 2}
FAILURES = {
    -1: (HardwareStallError, "the array still waits for something long after it should have finished"),
    -2: (HardwareError, "the array logged far more events than it was given work"),
    -3: (HardwareError, "a result carries the tag of a fold or row that does not exist"),
}

Sums = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Tile:
    """A fold with its operands: activations (height, depth) and weights (depth, width), both int8."""

    fold: OutputFold
    activations: Codes
    weights: Codes


@dataclass(frozen=True, slots=True)
class Recording:
    """What the hardware did: its log, and per fold the sums of all PEs, shape (folds, rows, columns).

    arrivals counts how often the sum of a PE left the array: once where its row was drained.
    """

    log: EventLog
    results: Sums
    arrivals: NDArray[np.uint8]


class _Configuration(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32) for name in ("policy", "drain_all", "port_bits", "noise_seed")]


class _Folds(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int32) for name in ("count", "beats")),
        *((name, ctypes.c_void_p) for name in ("depth", "height", "gap", "activations", "weights")),
    ]


class _Record(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("max_cycles", "max_events", "events")),
        *((name, ctypes.c_void_p) for name in ("log", "results", "arrivals")),
    ]


def build_output_stationary(rows: int, columns: int, folder: Path, fault: Fault = ()) -> Path:
    """The array of that size as a shared library below `folder`, maybe with a fault in it. Raises BuildError."""
    parameters = {"ROWS": rows, "COLUMNS": columns}
    return build("os_array", SOURCES, parameters, "os_harness.cpp", folder, fault)


def run(library: Path, array: Array, tiles: Sequence[Tile], noise_seed: int = 0) -> Recording:
    """Run the tiles one behind the other on the hardware in `library`, built for the rows and columns of `array`.

    Registers start with noise of that seed, and whatever is not valid carries noise. Raises HardwareError if the array
    does not finish (HardwareStallError) or does too much, ValueError for what this hardware is not made for.
    """
    if array.dataflow is not Dataflow.OUTPUT_STATIONARY or array.modes != ((BITS, BITS),):
        raise ValueError("this hardware is an output-stationary array of INT8 PEs")
    if not tiles or len(tiles) >= LARGEST_ID or max(tile.fold.depth for tile in tiles) >= LARGEST_ID:
        raise ValueError(f"one run takes 1 to {LARGEST_ID - 1} folds of at most {LARGEST_ID - 1} steps")
    steps = sum(tile.fold.depth for tile in tiles)
    log = np.zeros((2 * (steps + len(tiles) * array.rows), 4), np.int64)
    results = np.zeros((len(tiles), array.rows, array.columns), np.int32)
    arrivals = np.zeros(results.shape, np.uint8)
    record = _Record(
        _cycle_limit(array, tiles), len(log), 0, log.ctypes.data, results.ctypes.data, arrivals.ctypes.data
    )
    streams = _streams(array, tiles)
    folds = _Folds(len(tiles), array.row_load_cycles, *(stream.ctypes.data for stream in streams))
    drain_all = array.weight_load_rows is WeightLoadRows.ALL
    configuration = _Configuration(POLICIES[array.weight_loading], drain_all, port_bits(array), noise_seed)
    status = _entry(library, array)(ctypes.byref(configuration), ctypes.byref(folds), ctypes.byref(record))
    if status:
        kind, text = FAILURES[status]
        raise kind(text)
    return Recording(_log(log[: record.events]), results, arrivals)


def _entry(library: Path, array: Array) -> ctypes._NamedFuncPointer:
    """The harness's function; raises ValueError if it is built for another size."""
    loaded = ctypes.CDLL(str(library))
    size = loaded.os_array_rows(), loaded.os_array_columns()
    if size != (array.rows, array.columns):
        raise ValueError(f"{library.name} is {size[0]}x{size[1]}, the array {array.rows}x{array.columns}")
    entry = loaded.os_array_run
    entry.restype = ctypes.c_int
    entry.argtypes = [ctypes.POINTER(kind) for kind in (_Configuration, _Folds, _Record)]
    return entry


def _streams(array: Array, tiles: Sequence[Tile]) -> tuple[NDArray[np.generic], ...]:
    """Depth and height per fold; gap per beat; activations of all array rows per step; weights per beat.

    The tile lies on the last rows and the first columns; the others get zeros.
    """
    depth = np.array([tile.fold.depth for tile in tiles], np.int32)
    height = np.array([tile.fold.height for tile in tiles], np.int32)
    steps = int(depth.sum())
    gaps, activations = [], np.zeros((steps, array.rows), np.int8)
    weights = np.zeros((steps, array.columns), np.int8)
    first = 0
    for tile in tiles:
        place = slice(first, first + tile.fold.depth)
        gaps.append(beat_gaps(array, tile.fold.depth, tile.fold.step_gaps))
        activations[place, array.rows - tile.fold.height :] = tile.activations.T
        weights[place, : tile.fold.width] = tile.weights
        first = place.stop
    return depth, height, np.concatenate(gaps), activations, cut_beats(array, weights.view(np.uint8))


def _cycle_limit(array: Array, tiles: Sequence[Tile]) -> int:
    """Far more cycles than any policy needs, so that a faulty array ends."""
    each = 4 * (array.rows + array.columns)
    busy = sum(tile.fold.depth * array.row_load_cycles + sum(tile.fold.step_gaps) for tile in tiles)
    return 2 * (busy + each * (len(tiles) + 1))


def _log(rows: NDArray[np.int64]) -> EventLog:
    """(cycle, event, fold, row) with the bits of the one mode that this hardware has."""
    cycle, event, fold, row = rows.T
    bits = np.where((event == ArrayEvent.ROW_ISSUE) | (event == ArrayEvent.COMPUTE), BITS, 0)
    return make_log([np.stack([cycle, event, fold, row, bits, bits, np.zeros_like(bits)], axis=1)])
