"""Pricing counts anew: the energy of a run that is done, under other constants or another leakage."""

from __future__ import annotations

from collections.abc import Mapping

from mixarray.accelerator.model import Accelerator
from mixarray.cost.energy import LEAKAGE
from mixarray.cost.leakage import leakage_mw, pj_per_mw
from mixarray.cost.tables import EnergyTable, Estimate, plus
from mixarray.cost.unit_energy import unit_energy
from mixarray.mapping.schedule import Action


def priced_pj(
    counts: Mapping[Action, int | float], cycles: int | float, accelerator: Accelerator, table: EnergyTable
) -> Estimate:
    """Energy in pJ of counted actions over so many cycles, at the constants of `table`.

    Leakage is that of the accelerator over the cycles, whatever `counts` say of it. Raises InputError for an action
    that the table does not know, and for a leakage that it does not have.
    """
    spent = [
        unit_energy(action, accelerator, table).times(count)
        for action, count in counts.items()
        if action.name != LEAKAGE
    ]
    static = plus(list(leakage_mw(accelerator, table).values()))
    return plus([*spent, static.times(pj_per_mw(accelerator, cycles))])
