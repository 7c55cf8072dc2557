"""Counts of actions become energy: sum of count times energy, nothing else (design 6).

Components are named by their path in the configuration. An action without an energy is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum

from mixarray.accelerator.enums import Leakage, ZeroGating
from mixarray.accelerator.model import Accelerator
from mixarray.cost.area import area_mm2
from mixarray.cost.buffers import buffer_names
from mixarray.cost.leakage import leakage_mw, pj_per_mw
from mixarray.cost.note import energy_note
from mixarray.cost.pe_time import IDLE, UNUSED, inactive, split_zeros
from mixarray.cost.tables import EnergyTable, energy_table
from mixarray.cost.unit_energy import BESIDE_ELEMENTS, ELEMENT, unit_energy
from mixarray.errors import InputError
from mixarray.mapping.schedule import Action
from mixarray.mapping.tasks import CONDITIONAL_SHIFT

LEAKAGE = "leakage"


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
    """Energy by component and action. The bands add up: every constant at its low, or at its high, end.

    Sums are rounded once, so they are the same in every order.
    """

    items: tuple[EnergyItem, ...]
    note: str

    @property
    def total_pj(self) -> float:
        """Sum of the values."""
        return fsum(item.pj for item in self.items)

    @property
    def low_pj(self) -> float:
        """Sum of the low ends."""
        return fsum(item.low_pj for item in self.items)

    @property
    def high_pj(self) -> float:
        """Sum of the high ends."""
        return fsum(item.high_pj for item in self.items)

    def by_component(self) -> dict[str, float]:
        """pJ per component, in order of first appearance."""
        found: dict[str, list[float]] = {}
        for item in self.items:
            found.setdefault(item.component, []).append(item.pj)
        return {component: fsum(spent) for component, spent in found.items()}


def energy(
    actions: Mapping[Action, int],
    total_cycles: int,
    accelerator: Accelerator,
    streams: Mapping[str, int],
    zeros: Mapping[Action, int] | None = None,
) -> EnergyBreakdown:
    """Energy of a whole run: its actions, unused and idle PE-cycles, and leakage if the accelerator names a model.

    streams: cycles that each array streams, by `arrays.<index>`. zeros: PE-cycles among the actions whose streamed
    codes are all zero, which an accelerator with zero gating needs. Raises InputError for an action that the
    accelerator's energy table does not know, and for zero gating without `zeros`.
    """
    check_gating(accelerator, zeros is not None)
    counted = inactive(actions, total_cycles, accelerator, streams) | split_zeros(actions, zeros or {})
    items = [*action_energy(counted, accelerator), *leakage_energy(accelerator, total_cycles)]
    items.sort(key=lambda item: (item.component, item.action))
    return EnergyBreakdown(tuple(items), energy_note(accelerator))


def action_energy(actions: Mapping[Action, int], accelerator: Accelerator) -> tuple[EnergyItem, ...]:
    """Energy of the actions alone (of one operator, for example): without unused and idle PE-cycles and leakage."""
    table = energy_table(accelerator.energy_table)
    return tuple(_item(action, count, accelerator, table) for action, count in actions.items())


def leakage_energy(accelerator: Accelerator, total_cycles: int) -> tuple[EnergyItem, ...]:
    """Static power of every component times time; nothing where the accelerator names no leakage."""
    powers = leakage_mw(accelerator, energy_table(accelerator.energy_table))
    spent = {component: power.times(pj_per_mw(accelerator, total_cycles)) for component, power in powers.items()}
    return tuple(EnergyItem(c, LEAKAGE, total_cycles, e.value, e.low, e.high) for c, e in spent.items())


def check_energies(accelerator: Accelerator) -> None:
    """Raise InputError before a run if a part of the accelerator has no energy, or none of the leakage it names."""
    table = energy_table(accelerator.energy_table)
    actions = [Action("dram_channels.0", "read_bits")]
    for index, array in enumerate(accelerator.arrays):
        names = (*(mode.action for mode in array.pe_modes), UNUSED, IDLE, CONDITIONAL_SHIFT)
        actions += [Action(f"arrays.{index}", name) for name in names]
    for name in buffer_names(accelerator):
        actions.append(Action(f"buffers.{name}", "read"))
    for index in range(len(accelerator.vector_units)):
        actions += [Action(f"vector_units.{index}", name) for name in (f"softmax{ELEMENT}", *BESIDE_ELEMENTS)]
    for action in actions:
        unit_energy(action, accelerator, table)
    area_mm2(accelerator, table)
    if accelerator.leakage is not Leakage.NONE:
        leakage_mw(accelerator, table)


def check_gating(accelerator: Accelerator, counted: bool) -> None:
    """Raise InputError where zero codes are gated and nobody counted them, or the other way round."""
    if accelerator.zero_gating is ZeroGating.OPERAND and not counted:
        message = "operand needs the codes of what runs; only the images of a bundle recorded with --tensors have any"
        raise InputError(accelerator.name, message, "zero_gating")
    if accelerator.zero_gating is ZeroGating.NONE and counted:
        raise ValueError(f"{accelerator.name} gates no zero codes, and they were counted")


def _item(action: Action, count: int, accelerator: Accelerator, table: EnergyTable) -> EnergyItem:
    each = unit_energy(action, accelerator, table)
    return EnergyItem(action.component, action.name, count, each.value * count, each.low * count, each.high * count)
