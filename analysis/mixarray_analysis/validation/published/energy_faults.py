"""Energy tables and SRAM readers with one deliberate fault each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from mixarray.cost.tables import EnergyTable, Estimate, Key, energy_table
from mixarray_analysis.validation.check import Mutants
from mixarray_analysis.validation.faults import planted_copy
from mixarray_analysis.validation.published.energy import Costs, energy_figures

SRAM = "mixarray.cost.sram"
SHARE = "math.log2(at / left) / math.log2(right / left)"
PLAIN_4, PLAIN_8 = Key("pe_cycle_plain", 4, 4), Key("pe_cycle_plain", 8, 8)
Change = Callable[[EnergyTable], Mapping[Key, Estimate]]

TABLE_FAULTS: Mapping[str, Change] = {
    "4-bit and 8-bit PE exchanged": lambda table: {PLAIN_4: table.rows[PLAIN_8], PLAIN_8: table.rows[PLAIN_4]},
    "4 bits at a quarter of 8, as BOPs say": lambda table: {PLAIN_4: table.rows[PLAIN_8].times(0.25)},
    "DRAM per byte": lambda table: {key: row.times(8) for key, row in table.rows.items() if key.action[:5] == "dram_"},
    "bounds of DRAM dropped": lambda table: {
        key: Estimate(row.value, row.value, row.value) for key, row in table.rows.items() if key.action[:5] == "dram_"
    },
    "fp16 at the price of fp32": lambda table: {Key("fp16_add"): table.rows[Key("fp32_add")]},
    "leakage in W": lambda table: {key: row.times(1e-3) for key, row in table.rows.items() if "leakage" in key.action},
}
"""Rows of the tables that become others."""
SRAM_FAULTS: Mapping[str, tuple[str, str]] = {
    "linear between capacities": (SHARE, "(at - left) / (right - left)"),
    "the smaller capacity for the one between": (SHARE, "0"),
    "writes for reads": ("read_pj=words * _bilinear(reads,", "read_pj=words * _bilinear(writes,"),
}
"""Mistakes in the reader of the grids: a text in its source, and what it becomes."""


def caught_faults() -> Mutants:
    """Plant every fault in turn and compare all figures."""
    faulty = {name: Costs(table=partial(_changed, change)) for name, change in TABLE_FAULTS.items()}
    faulty |= {name: Costs(sram=vars(planted_copy(SRAM, *fault))["sram"]) for name, fault in SRAM_FAULTS.items()}
    return Mutants(tuple(faulty), tuple(name for name, costs in faulty.items() if _shows(costs)))


def _changed(change: Change, name: str) -> EnergyTable:
    table = energy_table(name)
    return replace(table, rows={**table.rows, **change(table)})


def _shows(costs: Costs) -> bool:
    return any(comparison.mismatch for comparison in energy_figures(costs))
