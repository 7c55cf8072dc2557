"""Choosing tiles and loop orders as the accelerator asks for it, judged by the fast engine and the energy model."""

from __future__ import annotations

from functools import cache

from mixarray.accelerator.enums import Search, ZeroGating
from mixarray.accelerator.model import Accelerator
from mixarray.cost.energy import energy
from mixarray.cost.pe_time import stream_cycles
from mixarray.engine.fast import run_fast, total_cycles
from mixarray.engine.timeline import Execution
from mixarray.mapping.build import build_schedule
from mixarray.mapping.forms import Prefer
from mixarray.mapping.mapper import Mapper
from mixarray.mapping.schedule import Schedule, dram_bits
from mixarray.mapping.search import Evaluate
from mixarray.mapping.section_plan import Choose
from mixarray.trace.workload import Workload


@cache
def process_mapper() -> Mapper:
    """The mapper of this process: what it once found it does not look for again."""
    return Mapper()


def chosen_schedule(workload: Workload, accelerator: Accelerator) -> Schedule:
    """The Schedule of a workload with tiles, loop orders and forms as the accelerator asks for them.

    Raises InputError as `build_schedule` does.
    """
    return build_schedule(workload, accelerator, chooser(accelerator), preference(accelerator))


def chooser(accelerator: Accelerator) -> Choose | None:
    """What chooses tiles and loop orders for `build_schedule`; None: the documented form."""
    if accelerator.mapping.search is Search.FIXED:
        return None
    return process_mapper().choose(evaluator(accelerator))


def preference(accelerator: Accelerator) -> Prefer | None:
    """What decides between forms for `build_schedule`; None: there is one."""
    if accelerator.mapping.search is Search.FIXED:
        return None
    return process_mapper().prefer(evaluator(accelerator))


def evaluator(accelerator: Accelerator) -> Evaluate:
    """Judges Schedules of single chains, without zero gating: a mapping is for all images, whatever their codes."""
    judged = accelerator.model_copy(update={"zero_gating": ZeroGating.NONE})

    def run_of(schedule: Schedule) -> Execution:
        jobs = (job for segment in schedule.segments for job in (*segment.body, *(segment.first or ())))
        return run_fast(schedule, 1 + max(job.operator for job in jobs))

    def energy_pj(schedule: Schedule) -> float:
        run = run_of(schedule)
        streams = stream_cycles(schedule.units, run.busy_cycles)
        return energy(run.actions, run.total_cycles, judged, streams).total_pj

    def traffic_bits(schedule: Schedule) -> int:
        return dram_bits(run_of(schedule).actions.items())

    return Evaluate(total_cycles, energy_pj, traffic_bits)
