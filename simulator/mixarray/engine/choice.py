"""The two engines by name; each is imported when it first runs."""

from __future__ import annotations

from enum import StrEnum

from mixarray.engine.timeline import Execution
from mixarray.mapping.schedule import Schedule


class Engine(StrEnum):
    """What runs a Schedule; both give the same answer.

    EVENT walks job by job in SimPy: the reference. FAST is compiled: a hundred times faster and more.
    """

    EVENT = "event"
    FAST = "fast"


def run_schedule(engine: Engine, schedule: Schedule, operators: int, with_timeline: bool = False) -> Execution:
    """Run `schedule`, whose jobs index `operators` operators.

    Raises ScheduleError if the schedule is impossible, and InputError where the fast engine's integers do not suffice.
    """
    if engine is Engine.EVENT:
        from mixarray.engine.event import run_event

        return run_event(schedule, operators, with_timeline)
    from mixarray.engine.fast import run_fast

    return run_fast(schedule, operators, with_timeline)
