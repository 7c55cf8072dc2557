"""Energy of one SRAM access, from a grid that CACTI 7 computed (LSTP cells, 300 K, one bank, one port, no ECC).

Between grid points: bilinear in log2(capacity) and log2(port width), of log2(energy), since energy follows power laws
in both (at 1 MiB and 64 bits this gives 93.4 pJ, CACTI itself 93.5). Outside the grid: refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from mixarray.cost.tables import read_csv
from mixarray.errors import InputError

NOTE = "SRAM: CACTI 7 grid, interpolated bilinearly in log2(capacity), log2(port width) and log2(energy)"


@dataclass(frozen=True, slots=True)
class Sram:
    """Energy per access of the full port width, and leakage."""

    read_pj: float
    write_pj: float
    leakage_mw: float


def sram(table: str, capacity_kib: int, port_bits: int, component: str, accelerator: str) -> Sram:
    """Energies of a buffer of the accelerator so named; InputError if it lies outside the grid of `table`."""
    sizes, ports = Place(accelerator, f"{component}.capacity_kib"), Place(accelerator, f"{component}.port_bits")
    reads, writes, leakage = _grids(table)
    return Sram(
        read_pj=_bilinear(reads, capacity_kib, port_bits, sizes, ports),
        write_pj=_bilinear(writes, capacity_kib, port_bits, sizes, ports),
        leakage_mw=_linear(leakage, capacity_kib, sizes),
    )


Grid = Mapping[int, Mapping[int, float]]


class Place(NamedTuple):
    """Where a number comes from, for the message if it cannot be served."""

    accelerator: str
    field: str


@cache
def _grids(table: str) -> tuple[Grid, Grid, Mapping[int, float]]:
    reads: dict[int, dict[int, float]] = {}
    writes: dict[int, dict[int, float]] = {}
    for row in read_csv(f"{table}.sram.csv"):
        size, width = int(row["capacity_kib"]), int(row["port_bits"])
        reads.setdefault(size, {})[width] = float(row["read_pj"])
        writes.setdefault(size, {})[width] = float(row["write_pj"])
    leakage = {int(row["capacity_kib"]): float(row["leakage_mw"]) for row in read_csv(f"{table}.leakage.csv")}
    return reads, writes, leakage


def _bilinear(grid: Grid, size: int, width: int, sizes: Place, ports: Place) -> float:
    by_size = {known: _linear(row, width, ports) for known, row in grid.items()}
    return _linear(by_size, size, sizes)


def _linear(points: Mapping[int, float], at: int, place: Place) -> float:
    """Interpolate in log2 of both axes; a grid point gives exactly its value."""
    if at in points:
        return points[at]
    known: Sequence[int] = sorted(points)
    for left, right in pairwise(known):
        if left < at < right:
            share = math.log2(at / left) / math.log2(right / left)
            return float(points[left] ** (1 - share) * points[right] ** share)
    message = f"{at} lies outside the SRAM grid; allowed: {known[0]} to {known[-1]} with this energy table"
    raise InputError(place.accelerator, message, place.field)
