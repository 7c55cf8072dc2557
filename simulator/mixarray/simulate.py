"""From a workload and an accelerator to cycles, energy and, if asked for, where the cycles went."""

from __future__ import annotations

from dataclasses import dataclass

from mixarray.accelerator.model import Accelerator
from mixarray.cost.energy import EnergyBreakdown, check_energies, energy
from mixarray.engine.attribution import Attribution, attribute
from mixarray.engine.event import run_event
from mixarray.engine.timeline import Execution
from mixarray.mapping.build import build_schedule
from mixarray.mapping.schedule import Schedule
from mixarray.trace.workload import Workload


@dataclass(frozen=True, slots=True)
class Simulation:
    """One inference on one accelerator. `attribution` is None unless the timeline was asked for."""

    workload: Workload
    accelerator: Accelerator
    schedule: Schedule
    execution: Execution
    energy: EnergyBreakdown
    attribution: Attribution | None


def simulate(workload: Workload, accelerator: Accelerator, timeline: bool = False) -> Simulation:
    """Map the workload, run the Schedule, cost its actions.

    With `timeline` every job's times are kept and the walk-back attribution is made. Raises InputError where the
    accelerator cannot run the workload, before the run.
    """
    check_energies(accelerator)
    schedule = build_schedule(workload, accelerator)
    execution = run_event(schedule, operators=len(workload.operators), with_timeline=timeline)
    breakdown = energy(execution.actions, execution.total_cycles, accelerator)
    walked = None if execution.timeline is None else attribute(schedule, execution.timeline)
    return Simulation(workload, accelerator, schedule, execution, breakdown, walked)
