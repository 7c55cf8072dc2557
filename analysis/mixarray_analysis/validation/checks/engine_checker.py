"""The event engine on random Schedules: an independent checker finds every job exactly where it belongs."""

from __future__ import annotations

from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases
from mixarray_analysis.validation.checker import first_violation
from mixarray_analysis.validation.faults import EVENT, PLAN, Engine, Fault, faulty_engine
from mixarray_analysis.validation.schedules import OPERATORS, seeded_schedule

MUTANT_CASES = 100

FAULTS = (
    Fault("Recent reads one job too far", PLAN, "[found] - count, 0", "[found] - count - 1, 0"),
    Fault("Back reads one iteration too far", PLAN, "- iterations * strides", "- (iterations + 1) * strides"),
    Fault("Final reads the last iteration but one", PLAN, "(segment.repeat - 1) *", "(segment.repeat - 2) *"),
    Fault("a dependency is dropped", PLAN, "in job.dependencies]", "in job.dependencies[1:]]"),
    Fault("the first variant is forgotten", PLAN, "return self.first", "return self.body"),
    Fault("the last variant is forgotten", PLAN, "return self.last if", "return self.body if"),
    Fault("latency occupies the unit", EVENT, "    return issued\n", "    return ready\n"),
    Fault("unit order is ignored", EVENT, "start, binding, binding_event = free", "start, binding, binding_event = 0"),
    Fault("started is read as issued", EVENT, "= moments[event], ", "= moments[max(event, Event.ISSUED)], "),
    Fault("issued is read as ready", EVENT, "= moments[event], ", "= moments[event and Event.READY], "),
    Fault("ties bind to the highest job", EVENT, "other < binding", "other > binding"),
)


def compare(engine: Engine, seed: int, case: int) -> str:
    """What is wrong with the timeline of one random Schedule, or nothing."""
    schedule = seeded_schedule(seed, case)
    execution = engine.run(schedule, OPERATORS, True)
    assert execution.timeline is not None
    found = first_violation(schedule, execution.timeline)
    last = int(execution.timeline.ready_cycles.max())
    if not found and execution.total_cycles != last:
        found = f"the total is {execution.total_cycles} cycles, the last job is ready at {last}"
    return found and f"seed {seed}, case {case}: {found}"


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One random Schedule per case."""
    return compare_cases(cases, progress, lambda case: compare(Engine(), seed, case))


def mutants(seed: int) -> Mutants:
    """Engines with one fault each; a run that gets stuck shows nothing and does not count as noticed."""
    caught = tuple(fault.name for fault in FAULTS if _noticed(faulty_engine(fault), seed))
    return Mutants(tuple(fault.name for fault in FAULTS), caught)


def _noticed(engine: Engine, seed: int) -> bool:
    for case in range(MUTANT_CASES):
        try:
            if compare(engine, seed, case):
                return True
        except (RuntimeError, KeyError):  # a deadlock, or a moment that was forgotten
            continue
    return False


CHECK = Check(
    name="engine_checker",
    title="every job of an event timeline starts exactly at the maximum of its constraints",
    against="independent checker, random schedules",
    rule="`event` engine, `mixarray/engine/event.py`, on Schedules drawn at random",
    source="an independent checker that recomputes every start from the Schedule, `validation/checker.py`",
    agreement="equal cycles, every job",
    tier=Tier.ENGINE,
    cases=1000,
    run=run,
    mutants=mutants,
)
