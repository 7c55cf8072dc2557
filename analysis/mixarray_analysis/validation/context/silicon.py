"""What a GEMM costs on our machines, as TOPS/W, beside silicon: an order of magnitude."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mixarray.accelerator.load import load_accelerator
from mixarray.simulation import simulate
from mixarray.trace.workload import single_gemm
from mixarray_analysis.validation.context.table import PACKED, PLAIN, ContextTable
from mixarray_analysis.validation.published.figure import Sourced, read_published

SIDE = 1024
OURS = ((PLAIN, 8), (PACKED, 8), (PACKED, 4))
TABLES = ("45nm-horowitz", "7nm-jouppi")
LACKS = (
    "The chip is 5 nm silicon at 0.46 V; our tables are constants for 45 nm and 7 nm at their usual voltages, and "
    "nothing here scales one to the other: only the order of magnitude can be compared.",
    "Ours reads operands from LPDDR4 and counts it; the chip's figure is of the accelerator with its own memories.",
    "Our streams are dense and nothing is gated; the chip's operands are half zeros.",
)


class SiliconRow(Sourced):
    """Efficiency of a chip at so many bits of both operands."""

    chip: str
    bits: int
    tops_per_watt: str
    conditions: str


def silicon_table() -> ContextTable:
    """Published efficiencies, then ours for a square GEMM."""
    rows = read_published("silicon_efficiency.csv", SiliconRow)
    return ContextTable(
        "Energy: a GEMM against silicon",
        f"Two operations per multiply-accumulate. Ours: a GEMM of {SIDE} x {SIDE} x {SIDE}, DRAM included. "
        f"Source: {rows[0].source} ({rows[0].status}).",
        ("machine", "bits", "conditions", "TOPS/W", "without DRAM"),
        (*((row.chip, str(row.bits), row.conditions, row.tops_per_watt, "-") for row in rows), *_ours()),
        LACKS,
    )


def _ours() -> Iterator[Sequence[str]]:
    for table in TABLES:
        for name, bits in OURS:
            workload = single_gemm(SIDE, SIDE, SIDE, bits, bits)
            run = simulate(workload, load_accelerator(name, (f"energy_table={table}",)))
            parts = run.energy.by_component()
            on_chip = sum(pj for component, pj in parts.items() if not component.startswith("dram_channels."))
            efficiencies = (2 * workload.macs / pj for pj in (run.energy.total_pj, on_chip))
            yield f"`{name}`", str(bits), table, *(f"{efficiency:.2f}" for efficiency in efficiencies)
