"""Energy, area and leakage of one SRAM, from grids: CACTI 7 (LSTP cells, 300 K, one bank, one port), or published.

Between grid points: bilinear in log2(capacity) and log2(port width), of log2(energy), since energy follows power laws
in both (at 1 MiB and 64 bits this gives 93.4 pJ, CACTI itself 93.5). Outside the grid: refused.
One bank of few wide words is pathological: at 22 nm, 64 words of 1024 bits cost what 256 such words cost. A memory of
fewer than 256 words is therefore priced as the smallest one of 256 words, and the result says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from mixarray.cost.rows import Access, GridInfo, GridRow, StaticRow, read_rows
from mixarray.cost.tables import energy_table
from mixarray.errors import InputError

LEAST_WORDS = 256
WORD_BITS = 64
HP360_KIB = 512
"""Capacity at which the leakage of high-performance cells is known."""

Grid = Mapping[int, Mapping[int, float]]
"""Capacity in KiB -> port width in bits -> pJ per access."""
Statics = tuple[Mapping[int, float], Mapping[int, float]]
"""(area in mm2, LSTP leakage in mW), each by capacity in KiB."""


@dataclass(frozen=True, slots=True)
class Sram:
    """Energy per access of the full port width; the capacity that was priced (more than asked for if clamped)."""

    read_pj: float
    write_pj: float
    priced_kib: int


@dataclass(frozen=True, slots=True)
class SramStatic:
    """What an SRAM takes without being accessed. hp360_mw: None where the grid's node has no such figure."""

    area_mm2: float
    lstp300_mw: float
    hp360_mw: float | None


class Place(NamedTuple):
    """Where a number comes from, for the message if it cannot be served."""

    accelerator: str
    field: str


@cache
def grid_infos() -> Mapping[str, GridInfo]:
    """Every shipped grid by name."""
    return {info.grid: info for info in read_rows("sram/grids.csv", GridInfo)}


def sram(table: str, capacity_kib: int, port_bits: int, component: str, accelerator: str) -> Sram:
    """Energies of a buffer of the accelerator so named; InputError if it lies outside the grid of `table`."""
    return grid_sram(energy_table(table).sram_grid, capacity_kib, port_bits, component, accelerator)


def grid_sram(grid: str, capacity_kib: int, port_bits: int, component: str, accelerator: str) -> Sram:
    """The same from a grid by its name."""
    sizes, ports = Place(accelerator, f"{component}.capacity_kib"), Place(accelerator, f"{component}.port_bits")
    reads, writes = grid_energies(grid)
    words, width = 1, port_bits
    if grid_infos()[grid].access is Access.WORDS_OF_64:
        words, width = -(-port_bits // WORD_BITS), WORD_BITS
    _check_inside(sorted(reads), capacity_kib, sizes)
    priced = _clamped_kib(capacity_kib, width)
    return Sram(
        read_pj=words * _bilinear(reads, priced, width, sizes, ports),
        write_pj=words * _bilinear(writes, priced, width, sizes, ports),
        priced_kib=priced,
    )


def sram_static(table: str, capacity_kib: int, port_bits: int, component: str, accelerator: str) -> SramStatic:
    """Area and leakage of a buffer, whose port the grid takes to be 256 bits wide.

    Raises InputError outside the grid, and ValueError for a table whose grid has none.
    """
    return grid_static(energy_table(table).sram_grid, capacity_kib, port_bits, component, accelerator)


def grid_static(grid: str, capacity_kib: int, port_bits: int, component: str, accelerator: str) -> SramStatic:
    """The same from a grid by its name."""
    info = grid_infos()[grid]
    if info.access is Access.WORDS_OF_64:
        raise ValueError(f"the grid {grid} has neither areas nor leakage")
    areas, leakage = grid_statics(grid)
    sizes = Place(accelerator, f"{component}.capacity_kib")
    _check_inside(sorted(areas), capacity_kib, sizes)
    priced = _clamped_kib(capacity_kib, port_bits)
    lstp300_mw = _linear(leakage, priced, sizes)
    hp360_mw = None if info.hp360_mw is None else info.hp360_mw * lstp300_mw / leakage[HP360_KIB]
    return SramStatic(_linear(areas, priced, sizes), lstp300_mw, hp360_mw)


def _clamped_kib(capacity_kib: int, port_bits: int) -> int:
    """The capacity, or that of 256 words in whole KiB."""
    return max(capacity_kib, -(-LEAST_WORDS * port_bits // (8 * 1024)))


@cache
def grid_energies(grid: str) -> tuple[Grid, Grid]:
    """(reads, writes) at the points of a grid by its name."""
    reads: dict[int, dict[int, float]] = {}
    writes: dict[int, dict[int, float]] = {}
    for row in read_rows(f"sram/{grid}.csv", GridRow):
        reads.setdefault(row.capacity_kib, {})[row.port_bits] = row.read_pj
        writes.setdefault(row.capacity_kib, {})[row.port_bits] = row.write_pj
    return reads, writes


@cache
def grid_statics(grid: str) -> Statics:
    """(area in mm2, LSTP leakage in mW) of a grid by its name."""
    rows = read_rows(f"sram/{grid}.static.csv", StaticRow)
    return {row.capacity_kib: row.area_mm2 for row in rows}, {row.capacity_kib: row.leakage_mw for row in rows}


def _bilinear(grid: Grid, size: int, width: int, sizes: Place, ports: Place) -> float:
    by_size = {known: _linear(row, width, ports) for known, row in grid.items()}
    return _linear(by_size, size, sizes)


def _linear(points: Mapping[int, float], at: int, place: Place) -> float:
    """Interpolate in log2 of both axes; a grid point gives exactly its value."""
    if at in points:
        return points[at]
    known = sorted(points)
    _check_inside(known, at, place)
    left, right = next((left, right) for left, right in pairwise(known) if left < at < right)
    share = math.log2(at / left) / math.log2(right / left)
    return float(points[left] ** (1 - share) * points[right] ** share)


def _check_inside(known: Sequence[int], at: int, place: Place) -> None:
    if not known[0] <= at <= known[-1]:
        message = f"{at} lies outside the SRAM grid; allowed: {known[0]} to {known[-1]} with this energy table"
        raise InputError(place.accelerator, message, place.field)
