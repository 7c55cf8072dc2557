"""The fast engine against the event engine on random Schedules: every counter, and every job of the timeline.

Iterations are skipped only where no timeline is asked for: the engine runs in both ways, on periodic Schedules too.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from types import ModuleType
from unittest.mock import patch

import numpy as np

from mixarray.engine.event import run_event
from mixarray.engine.timeline import Execution
from mixarray.mapping.schedule import Schedule
from mixarray.mapping.tabulate import with_tables
from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases
from mixarray_analysis.validation.checker import COLUMNS
from mixarray_analysis.validation.faults import Fault, copy_with
from mixarray_analysis.validation.schedules import OPERATORS, periodic_schedule, seeded_schedule

MUTANT_CASES = 60
TABLES = "mixarray.mapping.tabulate"
WAYS, STEADY, WALK, COUNTS, FAST = (
    f"mixarray.engine.{name}" for name in ("fast_ways", "fast_steady", "fast_walk", "fast_counts", "fast")
)
TAKEN = "make_tables", "make_flat", "spread", "find_ways", "row_before", "window", "find_steady", "walk", "count"
"""Functions of these modules that another one of them takes."""

FAULTS = (
    Fault("Recent reads one job too far", TABLES, "wait.count for wait", "wait.count + 1 for wait"),
    Fault("Back reads one iteration too far", TABLES, "wait.iterations for wait", "wait.iterations + 1 for wait"),
    Fault("the first variant is forgotten", TABLES, "np.where(has_first, body + slots", "np.where(has_first, body"),
    Fault("the last variant is forgotten", TABLES, "np.where(has_last, slots * (variants - 1), 0)", "0"),
    Fault("all jobs do what the first one does", TABLES, "        listed=listed,", "        listed=listed * 0,"),
    Fault("Final reads the middle iteration", WAYS, "repeat_of[where] - 1", "(repeat_of[where] - 1) // 2"),
    Fault("Recent ends at its segment", WAYS, "_job_of_lane(flat, lanes, chunk, index)\n", "-1\n"),
    Fault("a lane ends at its segment", WAYS, "_job_of_lane(flat, lanes, chunk, last)\n", "-1\n"),
    Fault("a wait is dropped", WALK, "range(wait_at[stored], ", "range(wait_at[stored] + 1, "),
    Fault(
        "latency occupies the unit",
        WALK,
        "latest[unit] = issued, first",
        "latest[unit] = issued + latency[stored], first",
    ),
    Fault("started is read as issued", WALK, "wait], event_of[wait]]", "wait], event_of[wait] or ISSUED]"),
    Fault("ties bind to the highest job", WALK, "other < binding)", "other > binding)"),
    Fault("ties bind to the last wait", WALK, "moment > start or", "moment >= start or"),
    Fault("an operator starts with its last job", WALK, "min(start, spans[operator, 0])", "start"),
    Fault("every iteration is counted as the body too", COUNTS, "np.maximum(0, repeat - 2)", "repeat"),
    Fault(
        "actions are counted once per stored job",
        COUNTS,
        "_weighted(jobs.times_each[pair], times[job])",
        "jobs.times_each[pair]",
    ),
    Fault("the timeline names the body's job last", FAST, "starts[-1] = last", "starts[-1] = body"),
    Fault("the first wait does not limit a skip", STEADY, "range(wait_at[job], ", "range(wait_at[job] + 1, "),
    Fault("a skip is a period short of its shift", WALK, "segment, times * shift)", "segment, (times - 1) * shift)"),
    Fault("every period is 1", WALK, "iteration += times * period", "iteration += times"),
    Fault("the last variant is skipped", WALK, "else repeat - 2", "else repeat - 1"),
    Fault("a skipped moment is a period early", WALK, "(periods + 1) * shift", "periods * shift"),
    Fault("skipped jobs do not end", WALK, "max(end, _note(run, ring, row, body))", "end"),
    Fault("a skip leaves the latest iteration behind", WALK, "ring[:, slot, :] +=", "ring[:row, slot, :] +="),
)


@dataclass(frozen=True, slots=True)
class FastEngine:
    """The ways to run the fast engine, of a module `mixarray.engine.fast` or of a faulty copy of it."""

    module: ModuleType = field(default_factory=lambda: import_module(FAST))

    def run(self, schedule: Schedule, operators: int) -> Execution:
        """With its timeline."""
        execution: Execution = self.module.run_fast(schedule, operators, with_timeline=True)
        return execution

    def count(self, schedule: Schedule, operators: int) -> Execution:
        """Without it."""
        execution: Execution = self.module.run_fast(schedule, operators)
        return execution

    def total_cycles(self, schedule: Schedule) -> int:
        """Only the total."""
        total: int = self.module.total_cycles(schedule)
        return total


def faulty_engine(fault: Fault) -> FastEngine:
    """The engine with this fault, not compiled; ValueError where the source has not exactly one place for it."""
    from numba import config

    with patch.object(config, "DISABLE_JIT", 1):  # compiling a copy takes seconds
        copies = [copy_with(fault, name) for name in (TABLES, WAYS, STEADY, WALK, COUNTS)]
        engine = copy_with(fault, FAST)
    for copy in copies:
        for name in TAKEN:
            if getattr(vars(copy).get(name), "__module__", "") == copy.__name__:
                for other in (*copies, engine):
                    if name in vars(other):
                        vars(other)[name] = vars(copy)[name]
    return FastEngine(engine)


def difference(event: Execution, other: Execution) -> str:
    """The first field or column in which two executions differ, in words; the engine's name does not count."""
    for name in (column.name for column in fields(Execution)):
        ours, theirs = getattr(event, name), getattr(other, name)
        if name not in ("engine", "timeline") and ours != theirs:
            return f"{name}: {theirs} instead of {ours}"
    if (event.timeline is None) != (other.timeline is None):
        return "only one of them has a timeline"
    for name in COLUMNS:
        ours, theirs = (getattr(execution.timeline, name, np.zeros(0)) for execution in (event, other))
        if len(ours) != len(theirs):
            return f"{name}: {len(theirs)} jobs instead of {len(ours)}"
        if (ours != theirs).any():
            job = int((ours != theirs).argmax())
            return f"{name} of job {job}: {theirs[job]} instead of {ours[job]}"
    return ""


def compare(engine: FastEngine, schedule: Schedule, operators: int) -> str:
    """How the engine differs from the event engine on one Schedule, or nothing."""
    event = run_event(schedule, operators, with_timeline=True)
    found = difference(event, engine.run(schedule, operators))
    found = found or difference(replace(event, timeline=None), engine.count(schedule, operators))
    total = engine.total_cycles(schedule)
    if not found and total != event.total_cycles:
        found = f"total_cycles() is {total} instead of {event.total_cycles}"
    return found


def compare_case(engine: FastEngine, seed: int, case: int) -> str:
    """How the engine differs on the two Schedules of one case, or nothing; one brings its tables along."""
    schedule = seeded_schedule(seed, case)
    periodic = with_tables(periodic_schedule(random.Random(f"{seed}/{case}")))
    found = compare(engine, schedule, OPERATORS) or compare(engine, periodic, OPERATORS)
    return found and f"seed {seed}, case {case}: {found}"


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One random Schedule per case, and one that becomes periodic."""
    return compare_cases(cases, progress, lambda case: compare_case(FastEngine(), seed, case))


def mutants(seed: int) -> Mutants:
    """Fast engines with one fault each."""
    caught = []
    for fault in FAULTS:
        engine = faulty_engine(fault)
        if any(compare_case(engine, seed, case) for case in range(MUTANT_CASES)):
            caught.append(fault.name)
    return Mutants(tuple(fault.name for fault in FAULTS), tuple(caught))


CHECK = Check(
    name="engine_fast",
    title="the compiled engine equals the event engine in every counter and every job",
    against="event engine, random schedules",
    rule="compiled engine, `mixarray/engine/fast.py`, on Schedules drawn at random",
    source="`event` engine on the same Schedules",
    agreement="equal in every counter and every time of every job",
    tier=Tier.ENGINE,
    cases=1000,
    run=run,
    mutants=mutants,
)
