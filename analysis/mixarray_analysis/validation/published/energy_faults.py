"""Energy tables and SRAM readers with one deliberate fault each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from mixarray.cost.sram import Grid, Statics, grid_energies, grid_statics
from mixarray.cost.tables import EnergyTable, Estimate, Key, VectorOps, energy_table, vector_ops
from mixarray_analysis.validation.check import Mutants
from mixarray_analysis.validation.faults import planted_copy
from mixarray_analysis.validation.published.energy import Costs, energy_figures
from mixarray_analysis.validation.published.energy_grids import Grids

SRAM = "mixarray.cost.sram"
SHARE = "math.log2(at / left) / math.log2(right / left)"
PLAIN_4, PLAIN_8 = Key("pe_cycle_plain", 4, 4), Key("pe_cycle_plain", 8, 8)
PACKED = Key("pe_cycle_packed_w4", 8, 4)
Change = Callable[[EnergyTable], Mapping[Key, Estimate]]

LPDDR4 = Key("dram_lpddr4_bit")
WIDE_BITS = 512

TABLE_FAULTS: Mapping[str, Change] = {
    "4-bit and 8-bit PE exchanged": lambda table: {PLAIN_4: table.rows[PLAIN_8], PLAIN_8: table.rows[PLAIN_4]},
    "4 bits at a quarter of 8, as BOPs say": lambda table: {PLAIN_4: table.rows[PLAIN_8].times(0.25)},
    "DRAM per byte": lambda table: {key: row.times(8) for key, row in table.rows.items() if key.action[:5] == "dram_"},
    "bounds of DRAM dropped": lambda table: {
        key: Estimate(row.value, row.value, row.value) for key, row in table.rows.items() if key.action[:5] == "dram_"
    },
    "fp16 at the price of fp32": lambda table: {Key("fp16_add"): table.rows[Key("fp32_add")]},
    "LPDDR4 at the price of HBM2, at 7 nm": lambda table: (
        {LPDDR4: table.rows[Key("dram_hbm2_bit")]} if table.name == "7nm-jouppi" else {}
    ),
    "packed (8,4) as of two bricks": lambda table: {PACKED: table.rows[PLAIN_8].times(0.75)},
    "packed (8,8) as two nibble passes": lambda table: {Key(PACKED.action, 8, 8): table.rows[PACKED].times(2)},
    "packed (4,4) as of two bricks": lambda table: {Key(PACKED.action, 4, 4): table.rows[PLAIN_8].times(0.85)},
    "idle packed PE: share of another PE": lambda table: {Key("pe_idle_packed_w4"): table.rows[PLAIN_8].times(0.255)},
    "idle plain PE free": lambda table: {Key("pe_idle_plain", 8, 8): table.rows[PLAIN_8].times(1e-3)},
    "packed area as of two bricks": lambda table: _scaled(table, "pe_area_packed_w4", 0.82 / 1.043),
    "packed leakage as of two bricks": lambda table: _scaled(table, "pe_leakage_packed_w4", 0.82 / 1.043),
    "leakage in W": lambda table: {key: row.times(1e-3) for key, row in table.rows.items() if "leakage" in key.action},
}
"""Rows of the tables that become others."""
SRAM_FAULTS: Mapping[str, tuple[str, str]] = {
    "linear between capacities": (SHARE, "(at - left) / (right - left)"),
    "the smaller capacity for the one between": (SHARE, "0"),
    "writes for reads": ("read_pj=words * _bilinear(reads,", "read_pj=words * _bilinear(writes,"),
    "reads for writes": ("write_pj=words * _bilinear(writes,", "write_pj=words * _bilinear(reads,"),
}
"""Mistakes in the reader of the grids: a text in its source, and what it becomes."""

DEARER = 1.1
GRID_FAULTS: Mapping[str, Grids] = {
    "wide ports of SRAM a tenth dearer": Grids(energies=lambda grid: _dearer_wide(*grid_energies(grid))),
    "writes of SRAM a tenth dearer": Grids(energies=lambda grid: _dearer_writes(*grid_energies(grid))),
    "area of SRAM a tenth larger": Grids(statics=lambda grid: _larger(*grid_statics(grid))),
    "leakage of SRAM a tenth larger": Grids(statics=lambda grid: _leakier(*grid_statics(grid))),
    "a softmax without its exponential": Grids(vector_ops=lambda: {**vector_ops(), "softmax": VectorOps(4, 1)}),
    "a requantization for nothing": Grids(vector_ops=lambda: {**vector_ops(), "requantize": VectorOps(0, 0)}),
}
"""Grids and operation counts that become others."""


def caught_faults() -> Mutants:
    """Plant every fault in turn and compare all figures."""
    faulty = {name: Costs(table=partial(_changed, change)) for name, change in TABLE_FAULTS.items()}
    faulty |= {name: Costs(sram=vars(planted_copy(SRAM, *fault))["sram"]) for name, fault in SRAM_FAULTS.items()}
    faulty |= {name: Costs(grids=grids) for name, grids in GRID_FAULTS.items()}
    return Mutants(tuple(faulty), tuple(name for name, costs in faulty.items() if _shows(costs)))


def _changed(change: Change, name: str) -> EnergyTable:
    table = energy_table(name)
    return replace(table, rows={**table.rows, **change(table)})


def _scaled(table: EnergyTable, action: str, factor: float) -> Mapping[Key, Estimate]:
    return {key: row.times(factor) for key, row in table.rows.items() if key.action == action}


def _dearer_wide(reads: Grid, writes: Grid) -> tuple[Grid, Grid]:
    return _dearer(reads, WIDE_BITS), _dearer(writes, WIDE_BITS)


def _dearer_writes(reads: Grid, writes: Grid) -> tuple[Grid, Grid]:
    return reads, _dearer(writes)


def _dearer(grid: Grid, least_bits: int = 0) -> Grid:
    return {
        capacity: {bits: pj * DEARER if bits >= least_bits else pj for bits, pj in ports.items()}
        for capacity, ports in grid.items()
    }


def _larger(areas: Mapping[int, float], leakage: Mapping[int, float]) -> Statics:
    return {capacity: mm2 * DEARER for capacity, mm2 in areas.items()}, leakage


def _leakier(areas: Mapping[int, float], leakage: Mapping[int, float]) -> Statics:
    return areas, {capacity: mw * DEARER for capacity, mw in leakage.items()}


def _shows(costs: Costs) -> bool:
    return any(comparison.mismatch for comparison in energy_figures(costs))
