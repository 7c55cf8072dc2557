"""From a workload and an accelerator to cycles, energy and, if asked for, where the cycles went."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mixarray.accelerator.model import Accelerator
from mixarray.choosing import chosen_schedule
from mixarray.cost.energy import EnergyBreakdown, check_energies, check_gating, energy
from mixarray.cost.pe_time import stream_cycles
from mixarray.cost.zeros import Codes, ZeroPeCycles, summed, zero_pe_cycles
from mixarray.engine.attribution import Attribution, attribute
from mixarray.engine.choice import Engine, run_schedule
from mixarray.engine.timeline import Execution
from mixarray.mapping.schedule import Schedule
from mixarray.trace.workload import Workload


@dataclass(frozen=True, slots=True)
class Simulation:
    """One inference on one accelerator.

    `attribution` is None unless the timeline was asked for, `zeros` (by operator) unless zero codes were counted.
    """

    workload: Workload
    accelerator: Accelerator
    schedule: Schedule
    execution: Execution
    energy: EnergyBreakdown
    attribution: Attribution | None
    zeros: ZeroPeCycles | None = None


def simulate(
    workload: Workload,
    accelerator: Accelerator,
    timeline: bool = False,
    codes: Codes | None = None,
    engine: Engine = Engine.FAST,
) -> Simulation:
    """Map the workload, run the Schedule, cost its actions.

    With `timeline` every job's times are kept and the walk-back attribution is made. `codes` are what an accelerator
    with zero gating needs. Raises InputError where the accelerator cannot run the workload, before the run.
    """
    check_energies(accelerator)
    check_gating(accelerator, codes is not None)
    schedule = chosen_schedule(workload, accelerator)
    execution = run_schedule(engine, schedule, len(workload.operators), timeline)
    zeros = None if codes is None else zero_pe_cycles(codes, workload, accelerator, execution.operators)
    breakdown = _energy(execution, schedule, accelerator, zeros)
    walked = None if execution.timeline is None else attribute(schedule, execution.timeline)
    return Simulation(workload, accelerator, schedule, execution, breakdown, walked, zeros)


def with_codes(simulation: Simulation, codes: Codes) -> Simulation:
    """The same simulation for another image of equal group sizes: its cycles, with the zeros of its own codes."""
    zeros = zero_pe_cycles(codes, simulation.workload, simulation.accelerator, simulation.execution.operators)
    spent = _energy(simulation.execution, simulation.schedule, simulation.accelerator, zeros)
    return replace(simulation, energy=spent, zeros=zeros)


def _energy(
    execution: Execution, schedule: Schedule, accelerator: Accelerator, zeros: ZeroPeCycles | None
) -> EnergyBreakdown:
    streams = stream_cycles(schedule.units, execution.busy_cycles)
    counted = None if zeros is None else summed(zeros)
    return energy(execution.actions, execution.total_cycles, accelerator, streams, counted)
