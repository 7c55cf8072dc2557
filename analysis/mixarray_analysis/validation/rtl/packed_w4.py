"""Drives the packed W4 weight-stationary array of `rtl/` and hands back its sums and the log of its tags."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.array.events import EventLog, Integers, make_log
from mixarray_analysis.validation.rtl.beats import port_bits
from mixarray_analysis.validation.rtl.build import Fault, build
from mixarray_analysis.validation.rtl.errors import HardwareError, HardwareStallError
from mixarray_analysis.validation.rtl.packed_w4_feed import MODES, Feed, Gemm, Table, make_feed, read_results

TOP = "packed_w4_array"
SOURCES = (
    "packed_w4_pkg.sv",
    "packed_w4_skew.sv",
    "packed_w4_pe.sv",
    "packed_w4_accumulator.sv",
    "weight_port.sv",
    "packed_w4_controller.sv",
    "packed_w4_row_issue.sv",
    "packed_w4_array.sv",
)
HARNESS = "packed_w4_harness.cpp"

ENTRIES = 4096
"""Accumulator entries per column (ADDRESS_BITS in packed_w4_pkg.sv)."""

LARGEST_NUMBER = 65_535
"""Tags carry 16 bits of fold and of row."""

_POLICIES = {WeightLoading.SERIAL: 0, WeightLoading.SINGLE: 1, WeightLoading.DOUBLE: 2}
_BITS = np.array([*MODES, (0, 0)], np.int64)
"""By the mode of a log line; the last, -1, is for events without a mode."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What the hardware did: its log, and the sums of every GEMM, each (M, N) int32."""

    log: EventLog
    results: tuple[Table, ...]


class _Configuration(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32) for name in ("policy", "load_all_rows", "port_bits", "noise_seed")]


class _Offers(ctypes.Structure):
    _fields_ = [("count", ctypes.c_int64), ("items", ctypes.c_void_p), ("data", ctypes.c_void_p)]


class _Record(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("limit_cycles", "limit_lines", "lines", "entries")),
        *((name, ctypes.c_void_p) for name in ("log", "sums")),
    ]


def build_packed_w4(rows: int, columns: int, folder: Path, fault: Fault = ()) -> Path:
    """The array of that size as a shared library below `folder`, maybe with a fault in it. Raises BuildError."""
    return build(TOP, SOURCES, {"ROWS": rows, "COLUMNS": columns}, HARNESS, folder, fault)


def run(library: Path, array: Array, gemms: Sequence[Gemm], noise_seed: int = 0) -> Recording:
    """Run the GEMMs one behind the other on the hardware in `library`, built for the rows and columns of `array`.

    Registers start with noise of that seed, and what is not valid carries noise. Rows are withheld as the gaps of
    the folds say. Raises HardwareError if the array does not finish (HardwareStallError) or does too much, ValueError
    for what this hardware is not made for.
    """
    if array.dataflow is not Dataflow.WEIGHT_STATIONARY or array.pe_style != "packed_w4":
        raise ValueError("this hardware is a weight-stationary array of packed W4 PEs")
    feed = make_feed(array, gemms)
    if feed.entries > ENTRIES or feed.rows[:, 1:3].max() > LARGEST_NUMBER:
        raise ValueError(f"one run has {ENTRIES} accumulator entries, and {LARGEST_NUMBER + 1} folds and rows at most")
    lines = np.zeros((4 * (len(feed.beats) + len(feed.rows)), 6), np.int64)
    sums = np.zeros((feed.entries, array.columns), np.int32)
    record = _Record(_limit_cycles(array, feed), len(lines), 0, len(sums), lines.ctypes.data, sums.ctypes.data)
    status = _entry(library, array)(
        ctypes.byref(_configuration(array, noise_seed)),
        ctypes.byref(_Offers(len(feed.beats), feed.beats.ctypes.data, feed.beat_bytes.ctypes.data)),
        ctypes.byref(_Offers(len(feed.rows), feed.rows.ctypes.data, feed.row_codes.ctypes.data)),
        ctypes.byref(record),
    )
    if status:
        raise HardwareStallError(f"the array still waits for something after {record.limit_cycles} cycles")
    if record.lines > len(lines):
        raise HardwareError(f"the array logged {record.lines} events, far more than it was given work")
    return Recording(_log(lines[: record.lines]), tuple(read_results(array, gemms, sums)))


def _entry(library: Path, array: Array) -> ctypes._NamedFuncPointer:
    """The harness's function; raises ValueError if it is built for another size."""
    loaded = ctypes.CDLL(str(library))
    size = loaded.packed_w4_rows(), loaded.packed_w4_columns()
    if size != (array.rows, array.columns):
        raise ValueError(f"{library.name} is {size[0]}x{size[1]}, the array {array.rows}x{array.columns}")
    entry = loaded.packed_w4_run
    entry.restype = ctypes.c_int32
    entry.argtypes = [ctypes.POINTER(kind) for kind in (_Configuration, _Offers, _Offers, _Record)]
    return entry


def _configuration(array: Array, noise_seed: int) -> _Configuration:
    load_all_rows = array.weight_load_rows is WeightLoadRows.ALL
    return _Configuration(_POLICIES[array.weight_loading], load_all_rows, port_bits(array), noise_seed)


def _limit_cycles(array: Array, feed: Feed) -> int:
    """Far more than any policy needs, so that a faulty array ends too."""
    folds = int(feed.rows[-1, 1]) + 1
    offered = len(feed.beats) + 2 * len(feed.rows) + int(feed.beats[:, 0].sum() + feed.rows[:, 0].sum())
    return 2 * offered + 2 * (folds + 4) * (array.rows + array.columns + 4)


def _log(lines: Integers) -> EventLog:
    """Lines (cycle, event, fold, row, mode, pass) in the order and words of the array model."""
    stream_bits, stationary_bits = _BITS[lines[:, 4]].T
    return make_log([np.column_stack([lines[:, :4], stream_bits, stationary_bits, lines[:, 5]])])
