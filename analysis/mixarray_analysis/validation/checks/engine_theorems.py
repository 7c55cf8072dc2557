"""Theorems of a fixed Schedule (design 8): nothing that gets shorter adds a cycle, and attribution bounds savings."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from mixarray.engine.timeline import Execution
from mixarray.mapping.schedule import Job, JobKind, Schedule
from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases
from mixarray_analysis.validation.faults import ATTRIBUTION, EVENT, Engine, Fault, faulty_engine
from mixarray_analysis.validation.schedules import OPERATORS, change_jobs, seeded_schedule

MUTANT_CASES = 100

FAULTS = (
    Fault("a long wait gives up", EVENT, "if moment > start or tie", "if 0 < moment - start < 16 or tie"),
    Fault("occupancy wraps at 16 cycles", EVENT, "start + step.occupancy_cycles", "start + step.occupancy_cycles % 16"),
    Fault(
        "attribution charges what was waited for",
        ATTRIBUTION,
        "timeline.kinds[timeline.kind[job]]",
        "timeline.kinds[timeline.kind[max(0, int(timeline.binding[job]))]]",
    ),
    Fault(
        "attribution loses latency",
        ATTRIBUTION,
        "+= moment - start",
        "+= min(moment, timeline.issued_cycles[job]) - start",
    ),
)

Change = Callable[[Job], Job]


def shorter_schedules(schedule: Schedule, draw: random.Random) -> Iterator[tuple[str, Schedule]]:
    """What was shortened, and the Schedule with it: one job, one kind, one unit's bandwidth, everything."""
    stored = [job for s in schedule.segments for jobs in (s.body, s.first, s.last) if jobs for job in jobs]
    one, kind, unit = draw.choice(stored), draw.choice(stored).kind, draw.choice(stored).unit
    tenths = draw.randint(1, 9)

    def less(job: Job) -> Job:
        shorter = draw.randint(0, job.occupancy_cycles), draw.randint(0, job.latency_cycles)
        return replace(job, occupancy_cycles=shorter[0], latency_cycles=shorter[1])

    def halved(job: Job) -> Job:
        return replace(job, occupancy_cycles=job.occupancy_cycles // 2, latency_cycles=job.latency_cycles // 2)

    def faster(job: Job) -> Job:
        return replace(job, occupancy_cycles=-(-job.occupancy_cycles * tenths // 10))

    changes: dict[str, Change] = {
        f"one {one.kind} shorter": lambda job: less(job) if job is one else job,
        f"every {kind} halved": lambda job: halved(job) if job.kind is kind else job,
        f"10/{tenths} of its bandwidth for {schedule.units[unit]}": lambda job: (
            faster(job) if job.unit == unit else job
        ),
        "every job shorter": less,
    }
    for name, change in changes.items():
        yield name, change_jobs(schedule, change)


def monotony_violation(before: Execution, after: Execution) -> str:
    """How a run with shorter jobs is later anywhere than the run before, or nothing."""
    assert before.timeline is not None
    assert after.timeline is not None
    later = after.timeline.start_cycles > before.timeline.start_cycles
    if later.any():
        job = int(later.argmax())
        starts = before.timeline.start_cycles[job], after.timeline.start_cycles[job]
        return f"job {job} starts at {starts[1]} instead of {starts[0]}"
    if after.total_cycles > before.total_cycles:
        return f"{after.total_cycles} cycles instead of {before.total_cycles}"
    return ""


def attribution_violation(engine: Engine, schedule: Schedule, before: Execution, operators: int) -> str:
    """How attribution breaks `total - attributed(kind) <= total without the kind <= total`, or nothing."""
    assert before.timeline is not None
    try:
        cycles = engine.attribute(schedule, before.timeline).cycles
    except ValueError as error:
        return str(error)
    if sum(cycles.values()) != before.total_cycles:
        return f"attribution covers {sum(cycles.values())} of {before.total_cycles} cycles"
    attributed: Counter[JobKind] = Counter()
    for (_, _, kind), part in cycles.items():
        attributed[kind] += part
    for kind in sorted({job.kind for segment in schedule.segments for job in segment.body}):
        total = engine.run(change_jobs(schedule, removes(kind)), operators, False).total_cycles
        lowest = before.total_cycles - attributed[kind]
        if not lowest <= total <= before.total_cycles:
            return f"without {kind} {total} cycles, not within {lowest} .. {before.total_cycles}"
    return ""


def removes(kind: JobKind) -> Change:
    """A change after which jobs of this kind take no time."""
    return lambda job: replace(job, occupancy_cycles=0, latency_cycles=0) if job.kind is kind else job


def compare(engine: Engine, seed: int, case: int) -> str:
    """Which theorem one random Schedule breaks, or nothing."""
    schedule, draw = seeded_schedule(seed, case), random.Random(f"{seed}/{case}/shorter")
    before = engine.run(schedule, OPERATORS, True)
    for name, shorter in shorter_schedules(schedule, draw):
        found = monotony_violation(before, engine.run(shorter, OPERATORS, True))
        if found:
            return f"seed {seed}, case {case}: with {name}, {found}"
    found = attribution_violation(engine, schedule, before, OPERATORS)
    return found and f"seed {seed}, case {case}: {found}"


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One random Schedule per case, all theorems."""
    return compare_cases(cases, progress, lambda case: compare(Engine(), seed, case))


def mutants(seed: int) -> Mutants:
    """Engines and attributions with one fault each, for which some theorem no longer holds."""
    caught = []
    for fault in FAULTS:
        engine = faulty_engine(fault)
        if any(compare(engine, seed, case) for case in range(MUTANT_CASES)):
            caught.append(fault.name)
    return Mutants(tuple(fault.name for fault in FAULTS), tuple(caught))


CHECK = Check(
    name="engine_theorems",
    title="shorter jobs and more bandwidth never add cycles; attribution bounds what removing a kind saves",
    against="theorems of max-plus systems",
    rule="`event` engine and attribution, `mixarray/engine/`, on Schedules drawn at random",
    source="monotony of max-plus systems; what is attributed to a kind of job bounds what removing it saves",
    agreement="the inequalities hold, in whole cycles",
    tier=Tier.ENGINE,
    cases=300,
    run=run,
    mutants=mutants,
)
