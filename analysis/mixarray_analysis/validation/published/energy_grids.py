"""Every point of the SRAM grids, and the arithmetic of vector operators, beside what they were taken from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from mixarray.cost.rows import GridRow, StaticRow, Status, VectorRow, Word
from mixarray.cost.sram import Grid, Statics, grid_energies, grid_statics
from mixarray.cost.tables import VectorOps, vector_ops
from mixarray_analysis.validation.published.figure import Comparison, read_published

CACTI = "CACTI 7, LSTP cells, 300 K, one bank, one port, no ECC"
BETWEEN_NODES = frozenset({"28nm-lstp300"})
"""Grids that are not at a node of CACTI's, but between two of them."""


class PublishedGridRow(GridRow):
    """Energies of one access, of the grid so named."""

    grid: Word


class PublishedStaticRow(StaticRow):
    """Area and leakage by capacity, of the grid so named."""

    grid: Word


@dataclass(frozen=True, slots=True)
class Grids:
    """What is examined: energies, areas and leakage by the name of a grid, and operations per element."""

    energies: Callable[[str], tuple[Grid, Grid]] = grid_energies
    statics: Callable[[str], Statics] = grid_statics
    vector_ops: Callable[[], Mapping[str, VectorOps]] = vector_ops


@cache
def _energies() -> tuple[PublishedGridRow, ...]:
    return read_published("energy_grids.csv", PublishedGridRow)


@cache
def _statics() -> tuple[PublishedStaticRow, ...]:
    return read_published("energy_static.csv", PublishedStaticRow)


@cache
def _operations() -> tuple[VectorRow, ...]:
    return read_published("energy_vector_ops.csv", VectorRow)


def grid_figures(grids: Grids) -> tuple[Comparison, ...]:
    """One comparison for each kind of number of a grid, and one for each vector operator."""
    return (
        *(comparison for grid in sorted({row.grid for row in _energies()}) for comparison in _grid(grids, grid)),
        *(_operator(grids.vector_ops(), row) for row in _operations()),
    )


def _grid(grids: Grids, grid: str) -> tuple[Comparison, ...]:
    reads, writes = grids.energies(grid)
    areas, leakage = grids.statics(grid)
    points = [row for row in _energies() if row.grid == grid]
    static = [row for row in _statics() if row.grid == grid]
    return (
        _points(grid, "pJ per read", {(r.capacity_kib, r.port_bits): r.read_pj for r in points}, _flat(reads)),
        _points(grid, "pJ per write", {(r.capacity_kib, r.port_bits): r.write_pj for r in points}, _flat(writes)),
        _points(grid, "mm2", {(r.capacity_kib,): r.area_mm2 for r in static}, _single(areas)),
        _points(grid, "mW of leakage", {(r.capacity_kib,): r.leakage_mw for r in static}, _single(leakage)),
    )


Points = Mapping[tuple[int, ...], float]
"""Numbers by capacity in KiB, and by port width in bits where they depend on it."""


def _flat(grid: Grid) -> Points:
    return {(capacity, port): value for capacity, ports in grid.items() for port, value in ports.items()}


def _single(values: Mapping[int, float]) -> Points:
    return {(capacity,): value for capacity, value in values.items()}


def _points(grid: str, unit: str, published: Points, ours: Points) -> Comparison:
    """All points of a grid together, to the last digit."""
    differ = [point for point in sorted({*published, *ours}) if published.get(point) != ours.get(point)]
    said = f"{len(published) - len(differ)} of {len(published)} equal" + (f", not {_places(differ)}" if differ else "")
    status = Status.DERIVED if grid in BETWEEN_NODES else Status.PRIMARY
    source = f"{CACTI}, between its nodes 22 and 32 nm" if grid in BETWEEN_NODES else CACTI
    low, high = min(published.values()), max(published.values())
    range_of = f"{len(published)} points, {low:g} to {high:g}"
    return Comparison(f"grid {grid}: {unit}", range_of, said, not differ, source, status)


def _places(points: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(" x ".join(map(str, point)) for point in points)


def _operator(ours: Mapping[str, VectorOps], row: VectorRow) -> Comparison:
    found, wanted = ours.get(row.kind), VectorOps(row.adds, row.multiplies)
    said = "nothing" if found is None else _words(found)
    what = f"additions and multiplications per element: {row.kind}"
    return Comparison(what, _words(wanted), said, found == wanted, row.source, row.status)


def _words(ops: VectorOps) -> str:
    return f"{ops.adds} and {ops.multiplies}"
