"""Choosing tiles and loop orders as the accelerator asks for it, judged by the fast engine and the energy model."""

from __future__ import annotations

from functools import cache

from mixarray.accelerator.enums import Search, ZeroGating
from mixarray.accelerator.model import Accelerator
from mixarray.cost.energy import energy
from mixarray.cost.pe_time import stream_cycles
from mixarray.engine.fast import run_fast, total_cycles
from mixarray.mapping.mapper import Mapper
from mixarray.mapping.schedule import Schedule
from mixarray.mapping.search import Evaluate
from mixarray.mapping.section_plan import Choose


@cache
def process_mapper() -> Mapper:
    """The mapper of this process: what it once found it does not look for again."""
    return Mapper()


def chooser(accelerator: Accelerator) -> Choose | None:
    """What chooses tiles and loop orders for `build_schedule`; None: the documented form."""
    if accelerator.mapping.search is Search.FIXED:
        return None
    return process_mapper().choose(evaluator(accelerator))


def evaluator(accelerator: Accelerator) -> Evaluate:
    """Judges Schedules of single chains, without zero gating: a mapping is for all images, whatever their codes."""
    judged = accelerator.model_copy(update={"zero_gating": ZeroGating.NONE})

    def energy_pj(schedule: Schedule) -> float:
        jobs = (job for segment in schedule.segments for job in (*segment.body, *(segment.first or ())))
        run = run_fast(schedule, 1 + max(job.operator for job in jobs))
        streams = stream_cycles(schedule.units, run.busy_cycles)
        return energy(run.actions, run.total_cycles, judged, streams).total_pj

    return Evaluate(total_cycles, energy_pj)
