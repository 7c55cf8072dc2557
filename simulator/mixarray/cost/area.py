"""Area of what the tables know: the PEs of all arrays, and the buffers. Not in it: everything in `NOT_IN_IT`."""

from __future__ import annotations

from mixarray.accelerator.model import Accelerator
from mixarray.cost.buffers import buffer_names, buffer_static
from mixarray.cost.tables import EnergyTable, Estimate, plus

NOT_IN_IT = "vector units, sorter, control, wiring between PEs, DRAM interface, pads"
UM2_PER_MM2 = 1e6


def area_mm2(accelerator: Accelerator, table: EnergyTable) -> Estimate | None:
    """Area of PEs and buffers in mm2; None where the table has no areas. InputError where it lacks that of a PE."""
    if not table.areas:
        return None
    scale = table.get("sram_area_scale")
    parts = [
        table.get(f"pe_area_{array.pe_style}", *array.modes[0]).times(array.pes / UM2_PER_MM2)
        for array in accelerator.arrays
    ]
    parts += [scale.times(buffer_static(accelerator, name, table.name).area_mm2) for name in buffer_names(accelerator)]
    return plus(parts)
