"""What the points of one model on one machine come to: their columns of results, or why they failed."""

from __future__ import annotations

from functools import cached_property

from mixarray.errors import InputError
from mixarray.points import Network, PointSimulator, PointTotals
from mixarray_analysis.sweeps.machines import Machine
from mixarray_analysis.sweeps.models import Groups, OpenModel
from mixarray_analysis.sweeps.rows import Row, done_result, failed_result, machine_row


class Evaluator:
    """Points of one model on one machine; `network` is that of the model."""

    def __init__(self, network: Network, model: OpenModel, machine: Machine) -> None:
        self._network, self._model, self._machine = network, model, machine

    @cached_property
    def machine_row(self) -> Row:
        """What every row says of the machine."""
        return machine_row(self._machine)

    def result(self, groups: Groups) -> Row:
        """The results of group sizes; what went wrong is a result too, so that a sweep goes on."""
        totals = self._baseline if groups == self._model.all_high else self._totals(groups)
        if isinstance(totals, str):
            return failed_result(groups, totals)
        return done_result(self._machine, groups, totals, self._baseline)

    @cached_property
    def _simulator(self) -> PointSimulator:
        return self._network.on(self._machine.accelerator)

    @cached_property
    def _baseline(self) -> PointTotals | str:
        return self._totals(self._model.all_high)

    def _totals(self, groups: Groups) -> PointTotals | str:
        try:
            return self._simulator.totals(self._model.assignment(groups))
        except InputError as error:
            return str(error)
        except (MemoryError, OSError):  # says nothing of the point: the sweep stops, and may be run again
            raise
        except Exception as error:  # a defect at one point must not cost the others
            return f"{type(error).__name__}: {error}"
