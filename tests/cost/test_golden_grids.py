"""Every number of the SRAM grids and vector operators is the one it was taken from; any other one is noticed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mixarray.cost.rows import Status, VectorRow, read_rows
from mixarray.cost.sram import Grid, Statics, grid_energies, grid_statics
from mixarray.cost.tables import VectorOps, vector_ops
from mixarray_analysis.validation.published.energy_grids import Grids, grid_figures

GRIDS = ("45nm-lstp300", "28nm-lstp300", "22nm-lstp300")
CAPACITIES_KIB = (8, 32, 128, 512, 2048)
PORTS_BITS = (64, 128, 256, 512, 1024)
POINTS = [(capacity, port) for capacity in CAPACITIES_KIB for port in PORTS_BITS]


def wrong(grids: Grids) -> list[str]:
    return [comparison.what for comparison in grid_figures(grids) if not comparison.agrees]


def with_energies(name: str, energies: tuple[Grid, Grid]) -> Grids:
    return Grids(energies=lambda grid: energies if grid == name else grid_energies(grid))


def with_statics(name: str, statics: Statics) -> Grids:
    return Grids(statics=lambda grid: statics if grid == name else grid_statics(grid))


def with_operations(kind: str, ops: VectorOps) -> Grids:
    return Grids(vector_ops=lambda: {**vector_ops(), kind: ops})


def moved(grid: Grid, capacity_kib: int, port_bits: int) -> Grid:
    """One point a hundredth higher."""
    return {**grid, capacity_kib: {**grid[capacity_kib], port_bits: grid[capacity_kib][port_bits] * 1.01}}


def test_every_point_is_the_golden_one() -> None:
    assert wrong(Grids()) == []


@pytest.mark.parametrize("name", GRIDS)
def test_every_energy_that_is_another_one_is_noticed(name: str) -> None:
    reads, writes = grid_energies(name)
    assert [(capacity, port) for capacity, row in reads.items() for port in row] == POINTS
    for point in POINTS:
        for unit, energies in (
            ("pJ per read", (moved(reads, *point), writes)),
            ("pJ per write", (reads, moved(writes, *point))),
        ):
            assert wrong(with_energies(name, energies)) == [f"grid {name}: {unit}"]


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("capacity_kib", CAPACITIES_KIB)
def test_every_area_and_leakage_that_is_another_one_is_noticed(name: str, capacity_kib: int) -> None:
    areas, leakage = grid_statics(name)

    def other(values: Mapping[int, float]) -> Mapping[int, float]:
        return {**values, capacity_kib: values[capacity_kib] * 1.01}

    for unit, statics in (("mm2", (other(areas), leakage)), ("mW of leakage", (areas, other(leakage)))):
        assert wrong(with_statics(name, statics)) == [f"grid {name}: {unit}"]


def test_a_point_that_is_missing_is_named() -> None:
    reads, writes = grid_energies("22nm-lstp300")
    fewer = {capacity: row for capacity, row in reads.items() if capacity != 512}
    figures = grid_figures(with_energies("22nm-lstp300", (fewer, writes)))
    (found,) = (comparison for comparison in figures if not comparison.agrees)
    assert found.ours == "20 of 25 equal, not 512 x 64, 512 x 128, 512 x 256, 512 x 512, 512 x 1024"


@pytest.mark.parametrize("kind", sorted(vector_ops()))
def test_every_vector_operator_that_is_another_one_is_noticed(kind: str) -> None:
    ops = vector_ops()[kind]
    for other in (VectorOps(ops.adds + 1, ops.multiplies), VectorOps(ops.adds, ops.multiplies + 1)):
        assert wrong(with_operations(kind, other)) == [f"additions and multiplications per element: {kind}"]


def test_vector_operations_are_derived_with_their_rule() -> None:
    assert {(row.status, bool(row.source)) for row in read_rows("vector_ops.csv", VectorRow)} == {
        (Status.DERIVED, True)
    }
