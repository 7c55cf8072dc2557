"""Static power: SRAM in the cells that the accelerator names, PEs as Bit Fusion's synthesis has them."""

from __future__ import annotations

from collections.abc import Mapping

from mixarray.accelerator.enums import Leakage
from mixarray.accelerator.model import Accelerator
from mixarray.cost.buffers import buffer_names, buffer_static
from mixarray.cost.tables import EnergyTable, Estimate
from mixarray.errors import InputError


def leakage_mw(accelerator: Accelerator, table: EnergyTable) -> Mapping[str, Estimate]:
    """Static power by component in mW; empty where the accelerator names no leakage.

    Raises InputError where the table does not have the leakage that is named.
    """
    if accelerator.leakage is Leakage.NONE:
        return {}
    if accelerator.leakage not in table.leakage:
        allowed = ", ".join((Leakage.NONE, *table.leakage))
        message = f"energy table {table.name} has no leakage {accelerator.leakage}; allowed: {allowed}"
        raise InputError(accelerator.name, message, "leakage")
    found: dict[str, Estimate] = {}
    scale = table.get(f"sram_leakage_{accelerator.leakage}")
    for name in buffer_names(accelerator):
        found[f"buffers.{name}"] = scale.times(_sram_mw(accelerator, name, table.name))
    for index, array in enumerate(accelerator.arrays):
        found[f"arrays.{index}"] = table.get(f"pe_leakage_{array.pe_style}", *array.modes[0]).times(array.pes)
    return found


def pj_per_mw(accelerator: Accelerator, cycles: float) -> float:
    """Energy of 1 mW over so many cycles of the array clock: 1 mW x 1 us = 1000 pJ."""
    return cycles / accelerator.clock_mhz * 1000


def _sram_mw(accelerator: Accelerator, name: str, table: str) -> float:
    static = buffer_static(accelerator, name, table)
    if accelerator.leakage is Leakage.LSTP300:
        return static.lstp300_mw
    assert static.hp360_mw is not None  # a table that names hp360 has a grid that has it: a test holds it to that
    return static.hp360_mw
