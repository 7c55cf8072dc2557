"""The energy of one action of one component, from the constants of a table."""

from __future__ import annotations

from mixarray.accelerator.enums import ClockGating
from mixarray.accelerator.model import Accelerator, Array, VectorUnit
from mixarray.cost.buffers import buffer_names, buffer_sram
from mixarray.cost.pe_time import IDLE, PE_CYCLE, UNUSED, ZERO
from mixarray.cost.tables import NOTHING, EnergyTable, Estimate, plus, vector_ops
from mixarray.errors import InputError
from mixarray.mapping.own_work import BURST, COMPARE
from mixarray.mapping.schedule import Action
from mixarray.mapping.tasks import CONDITIONAL_SHIFT
from mixarray.mapping.vector_cost import WRITE_VALUE

ELEMENT = "_element"
BESIDE_ELEMENTS = (COMPARE, BURST)
"""What vector units do beside work on elements; a sorter or an address generator beside them counts as theirs."""


def unit_energy(action: Action, accelerator: Accelerator, table: EnergyTable) -> Estimate:
    """pJ of one action; InputError if the table has none."""
    match action.component.split("."):
        case ["arrays", index] if _exists(index, accelerator.arrays):
            return _pe(accelerator.arrays[int(index)], action, accelerator.clock_gating, table)
        case ["buffers", name] if name in buffer_names(accelerator):
            return _buffer(accelerator, name, action, table)
        case ["vector_units", index] if _exists(index, accelerator.vector_units):
            return _vector(accelerator.vector_units[int(index)], action, table)
        case ["dram_channels", index] if _exists(index, accelerator.dram_channels):
            if action.name in ("read_bits", "write_bits"):
                return table.get(f"dram_{accelerator.dram_channels[int(index)].type}_bit")
    raise _unknown(action, table)


def _exists(index: str, components: tuple[object, ...]) -> bool:
    return index.isdecimal() and int(index) < len(components)


def _pe(array: Array, action: Action, gating: ClockGating, table: EnergyTable) -> Estimate:
    """One PE-cycle: active in a mode; or unused, idle, or gated on zero codes, which all cost what an idle PE costs.

    An idle PE whose clock is gated costs its leakage alone. A conditional shift of a product comes on top.
    """
    modes = {mode.action: mode for mode in array.pe_modes}
    if action.name in modes:
        mode = modes[action.name]
        return table.get(f"{PE_CYCLE}{array.pe_style}", mode.stream_bits, mode.stationary_bits)
    if action.name == CONDITIONAL_SHIFT:
        return table.get(CONDITIONAL_SHIFT)
    if action.name == IDLE and gating is ClockGating.IDLE:
        return NOTHING
    if action.name in (IDLE, UNUSED) or action.name.removesuffix(ZERO) in modes:
        return table.get(f"pe_idle_{array.pe_style}", *array.modes[0])
    raise _unknown(action, table)


def _buffer(accelerator: Accelerator, name: str, action: Action, table: EnergyTable) -> Estimate:
    access = buffer_sram(accelerator, name, table.name)
    energies = {"read": access.read_pj, "write": access.write_pj, WRITE_VALUE: access.write_pj}
    if action.name not in energies:
        raise _unknown(action, table)
    return table.get("sram_scale").times(energies[action.name])


def _vector(unit: VectorUnit, action: Action, table: EnergyTable) -> Estimate:
    if action.name in BESIDE_ELEMENTS:
        return table.get(action.name)
    ops = vector_ops().get(action.name.removesuffix(ELEMENT))
    if ops is None or not action.name.endswith(ELEMENT):
        raise _unknown(action, table)
    add, multiply = table.get(f"{unit.arithmetic}_add"), table.get(f"{unit.arithmetic}_multiply")
    return plus([add.times(ops.adds), multiply.times(ops.multiplies)])


def _unknown(action: Action, table: EnergyTable) -> InputError:
    place = f"{action.component} {action.name}"
    return InputError(f"energy table {table.name}", "has no energy for this action", place)
