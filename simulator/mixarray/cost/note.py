"""One line that says how energies and areas of an accelerator come about."""

from __future__ import annotations

from mixarray.accelerator.buffers import Buffer
from mixarray.accelerator.enums import ClockGating, Dataflow, Leakage, WeightLoading, ZeroGating
from mixarray.accelerator.model import Accelerator, Array
from mixarray.cost.area import NOT_IN_IT
from mixarray.cost.buffers import buffer_names, buffer_sram
from mixarray.cost.rows import Access
from mixarray.cost.sram import LEAST_WORDS, grid_infos
from mixarray.cost.tables import EnergyTable, energy_table

LEAKAGE_TEXT = {
    Leakage.NONE: "no leakage",
    Leakage.LSTP300: "leakage lstp300 (SRAM: low-standby-power cells, 300 K; PEs: Bit Fusion's synthesis)",
    Leakage.HP360: "leakage hp360 (SRAM: high-performance cells, 360 K, known at 512 KiB and scaled by the LSTP curve; "
    "PEs: Bit Fusion's synthesis)",
}
CLOCK_TEXT = {ClockGating.NONE: "no clock gating", ClockGating.IDLE: "PEs of waiting arrays only leak"}
SHIFTED_TILES = "stationary tiles shifted from PE to PE"
SHIFTED_SUMS = "sums shifted out from PE to PE"
SECOND_SUM = "each PE's second sum register (also not in leakage and area)"
ZERO_TEXT = {ZeroGating.NONE: "no zero gating", ZeroGating.OPERAND: "zero codes gated, counted in the recorded codes"}


def energy_note(accelerator: Accelerator) -> str:
    """Tables, interpolation, leakage and gating behind the energies, and what energy and area leave out."""
    table = energy_table(accelerator.energy_table)
    parts = [
        f"table {table.name}",
        _sram_text(table),
        *_banks(accelerator),
        *_clamped(accelerator, table),
        "DRAM flat per bit",
        LEAKAGE_TEXT[accelerator.leakage],
        CLOCK_TEXT[accelerator.clock_gating],
        ZERO_TEXT[accelerator.zero_gating],
        f"not in the energy beyond PE-cycles: {', '.join(_left_out(accelerator))}",
        f"area of PEs and buffers (not in it: {NOT_IN_IT})" if table.areas else "no areas in this table",
    ]
    return "; ".join(parts)


def _left_out(accelerator: Accelerator) -> list[str]:
    """What registers of PEs do that no table has a price for, beside what their PE-cycles contain."""
    return list(dict.fromkeys(text for array in accelerator.arrays for text in _unpriced(array)))


def _unpriced(array: Array) -> list[str]:
    if array.dataflow is not Dataflow.OUTPUT_STATIONARY:
        return [SHIFTED_TILES]
    return [SHIFTED_SUMS, SECOND_SUM] if array.weight_loading is WeightLoading.DOUBLE else [SHIFTED_SUMS]


def _sram_text(table: EnergyTable) -> str:
    grid = grid_infos()[table.sram_grid]
    if grid.access is Access.WORDS_OF_64:
        return f"SRAM: {grid.title}, 64-bit accesses side by side, interpolated in log2(capacity) and log2(energy)"
    how = "interpolated bilinearly in log2(capacity), log2(port width) and log2(energy)"
    return f"SRAM: {grid.title}, one bank, {how}"


def _banks(accelerator: Accelerator) -> list[str]:
    """Buffers of several banks: each bank is priced by itself."""
    buffers: dict[str, Buffer] = {name: getattr(accelerator.buffers, name) for name in buffer_names(accelerator)}
    return [f"buffers.{name} in {buffer.banks} equal banks" for name, buffer in buffers.items() if buffer.banks > 1]


def _clamped(accelerator: Accelerator, table: EnergyTable) -> list[str]:
    """Buffers of so few words that they are priced as larger ones."""
    found = []
    for name in buffer_names(accelerator):
        buffer: Buffer = getattr(accelerator.buffers, name)
        priced = buffer_sram(accelerator, name, table.name).priced_kib
        if priced != buffer.capacity_kib:
            what = "it" if buffer.banks == 1 else "each bank"
            found.append(f"buffers.{name} priced as {priced} KiB, so that {what} has {LEAST_WORDS} words")
    return found
