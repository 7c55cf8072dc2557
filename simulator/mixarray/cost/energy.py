"""Counts of actions become energy: sum of count times energy, nothing else (design 6).

Components are named by their path in the configuration. An action without an energy is an error. Idle and stalled
PE-cycles are what remains of PEs x cycles after the active ones, so they are counted here, not by the mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mixarray.accelerator.enums import Leakage
from mixarray.accelerator.model import Accelerator, Array, Buffer, VectorUnit
from mixarray.cost.sram import NOTE, sram
from mixarray.cost.tables import EnergyTable, Estimate, energy_table, plus, vector_ops
from mixarray.errors import InputError
from mixarray.mapping.schedule import Action

IDLE = "pe_cycle_idle"
LEAKAGE = "leakage"
PE_CYCLE = "pe_cycle_"
ELEMENT = "_element"


@dataclass(frozen=True, slots=True)
class EnergyItem:
    """Energy of one action of one component, in pJ with its band. For leakage, `count` is cycles."""

    component: str
    action: str
    count: int
    pj: float
    low_pj: float
    high_pj: float


@dataclass(frozen=True, slots=True)
class EnergyBreakdown:
    """Energy by component and action. The bands add up: every constant at its low, or at its high, end."""

    items: tuple[EnergyItem, ...]
    note: str

    @property
    def total_pj(self) -> float:
        """Sum of the values."""
        return sum(item.pj for item in self.items)

    @property
    def low_pj(self) -> float:
        """Sum of the low ends."""
        return sum(item.low_pj for item in self.items)

    @property
    def high_pj(self) -> float:
        """Sum of the high ends."""
        return sum(item.high_pj for item in self.items)

    def by_component(self) -> dict[str, float]:
        """pJ per component, in order of first appearance."""
        found: dict[str, float] = {}
        for item in self.items:
            found[item.component] = found.get(item.component, 0.0) + item.pj
        return found


def energy(actions: Mapping[Action, int], total_cycles: int, accelerator: Accelerator) -> EnergyBreakdown:
    """Energy of a whole run: its actions, the idle PE-cycles, and leakage if the accelerator names a model of it.

    Raises InputError for an action that the accelerator's energy table does not know.
    """
    items = list(action_energy(actions, accelerator))
    for index, array in enumerate(accelerator.arrays):
        component = f"arrays.{index}"
        items.append(_item(Action(component, IDLE), _idle_cycles(actions, array, component, total_cycles), accelerator))
    if accelerator.leakage is not Leakage.NONE:
        items.extend(_leakage(accelerator, total_cycles))
    items.sort(key=lambda item: (item.component, item.action))
    return EnergyBreakdown(tuple(items), _note(accelerator))


def action_energy(actions: Mapping[Action, int], accelerator: Accelerator) -> tuple[EnergyItem, ...]:
    """Energy of the actions alone (of one operator, for example): without idle PE-cycles and leakage."""
    return tuple(_item(action, count, accelerator) for action, count in actions.items())


def unit_energy(action: Action, accelerator: Accelerator) -> Estimate:
    """pJ of one action; InputError if the energy table has none."""
    table = energy_table(accelerator.energy_table)
    match action.component.split("."):
        case ["arrays", index] if _exists(index, accelerator.arrays):
            return _pe(accelerator.arrays[int(index)], action.name, table)
        case ["buffers", name] if name in type(accelerator.buffers).model_fields:
            return _buffer(getattr(accelerator.buffers, name), action, table, accelerator.name)
        case ["vector_units", index] if _exists(index, accelerator.vector_units):
            return _vector(accelerator.vector_units[int(index)], action.name, table)
        case ["dram_channels", index] if _exists(index, accelerator.dram_channels):
            if action.name in ("read_bits", "write_bits"):
                return table.get(f"dram_{accelerator.dram_channels[int(index)].type}_bit")
    raise _unknown(action, table)


def check_energies(accelerator: Accelerator) -> None:
    """Raise InputError before a run if a PE mode, buffer or memory of the accelerator has no energy."""
    modes = [mode.action for array in accelerator.arrays for mode in array.pe_modes]
    actions = [Action("arrays.0", name) for name in (*modes, IDLE)]
    actions += [Action(f"buffers.{name}", "read") for name in type(accelerator.buffers).model_fields]
    actions += [Action("dram_channels.0", "read_bits"), Action("vector_units.0", f"softmax{ELEMENT}")]
    for action in actions:
        unit_energy(action, accelerator)
    if accelerator.leakage is not Leakage.NONE:
        _leakage(accelerator, 1)


def _item(action: Action, count: int, accelerator: Accelerator) -> EnergyItem:
    each = unit_energy(action, accelerator)
    return EnergyItem(action.component, action.name, count, each.value * count, each.low * count, each.high * count)


def _exists(index: str, components: tuple[object, ...]) -> bool:
    return index.isdecimal() and int(index) < len(components)


def _pe(array: Array, name: str, table: EnergyTable) -> Estimate:
    """One PE-cycle: active in a mode, or idle, which costs a fraction of the cheapest active cycle."""
    by_action = {mode.action: (mode.stream_bits, mode.stationary_bits) for mode in array.pe_modes}
    if name == IDLE:
        active = [table.get(f"{PE_CYCLE}{array.pe_style}", *bits) for bits in by_action.values()]
        return min(active, key=lambda estimate: estimate.value).scaled(table.get("pe_idle_fraction"))
    if name not in by_action:
        raise _unknown(Action("arrays", name), table)
    return table.get(f"{PE_CYCLE}{array.pe_style}", *by_action[name])


def _buffer(buffer: Buffer, action: Action, table: EnergyTable, accelerator: str) -> Estimate:
    access = sram(table.name, buffer.capacity_kib, buffer.port_bits, action.component, accelerator)
    energies = {"read": access.read_pj, "write": access.write_pj}
    if action.name not in energies:
        raise _unknown(action, table)
    return table.get("sram_scale").times(energies[action.name])


def _vector(unit: VectorUnit, name: str, table: EnergyTable) -> Estimate:
    ops = vector_ops().get(name.removesuffix(ELEMENT))
    if ops is None or not name.endswith(ELEMENT):
        raise _unknown(Action("vector_units", name), table)
    add, multiply = table.get(f"{unit.arithmetic}_add"), table.get(f"{unit.arithmetic}_multiply")
    return plus([add.times(ops.adds), multiply.times(ops.multiplies)])


def _unknown(action: Action, table: EnergyTable) -> InputError:
    place = f"{action.component} {action.name}"
    return InputError(f"energy table {table.name}", "has no energy for this action", place)


def _idle_cycles(actions: Mapping[Action, int], array: Array, component: str, total_cycles: int) -> int:
    active = sum(n for action, n in actions.items() if action.component == component and action.name != IDLE)
    idle = array.pes * total_cycles - active
    if idle < 0:
        raise ValueError(f"{component}: {active} active PE-cycles exceed {total_cycles} cycles of {array.pes} PEs")
    return idle


def _leakage(accelerator: Accelerator, total_cycles: int) -> list[EnergyItem]:
    """Static power times time: SRAM from the CACTI grid (256-bit ports), PEs from the table; 1 mW x 1 us = 1 nJ."""
    table = energy_table(accelerator.energy_table)
    pj_per_mw = total_cycles / accelerator.clock_mhz * 1000
    power: dict[str, Estimate] = {}
    for name in type(accelerator.buffers).model_fields:
        buffer: Buffer = getattr(accelerator.buffers, name)
        component = f"buffers.{name}"
        leakage_mw = sram(table.name, buffer.capacity_kib, buffer.port_bits, component, accelerator.name).leakage_mw
        power[component] = table.get("sram_scale").times(leakage_mw)
    for index, array in enumerate(accelerator.arrays):
        power[f"arrays.{index}"] = table.get(f"pe_leakage_{array.pe_style}", *array.modes[0]).times(array.pes)
    spent = {component: estimate.times(pj_per_mw) for component, estimate in power.items()}
    return [EnergyItem(c, LEAKAGE, total_cycles, e.value, e.low, e.high) for c, e in spent.items()]


def _note(accelerator: Accelerator) -> str:
    static = "no leakage" if accelerator.leakage is Leakage.NONE else f"leakage {accelerator.leakage}"
    return f"table {accelerator.energy_table}; {NOTE}; DRAM flat per bit; {static}"
