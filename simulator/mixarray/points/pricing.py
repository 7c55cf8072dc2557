"""Energy of many runs on one accelerator: what `cost.energy` gives, with every constant looked up once."""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum

from mixarray.accelerator.model import Accelerator
from mixarray.cost.leakage import leakage_mw, pj_per_mw
from mixarray.cost.pe_time import inactive
from mixarray.cost.tables import Estimate, energy_table
from mixarray.cost.unit_energy import unit_energy
from mixarray.mapping.schedule import Action


class Prices:
    """The constants of one accelerator, which has no zero gating."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self._table = energy_table(accelerator.energy_table)
        self._each: dict[Action, Estimate] = {}
        self._static = tuple(leakage_mw(accelerator, self._table).values())

    def energy_pj(self, actions: Mapping[Action, int], total_cycles: int, streams: Mapping[str, int]) -> Estimate:
        """Energy of a whole run; streams: cycles that each array streams, by `arrays.<index>`.

        Products and sums are rounded as `cost.energy` rounds them, so both give the same numbers.
        """
        counted = {**inactive(actions, total_cycles, self.accelerator, streams), **actions}
        for action in counted:
            if action not in self._each:
                self._each[action] = unit_energy(action, self.accelerator, self._table)
        spent = [self._each[action].times(count) for action, count in counted.items()]
        spent += [power.times(pj_per_mw(self.accelerator, total_cycles)) for power in self._static]
        return Estimate(fsum(e.value for e in spent), fsum(e.low for e in spent), fsum(e.high for e in spent))
