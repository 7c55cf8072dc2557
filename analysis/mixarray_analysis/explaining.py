"""Explaining a run: run it and its baseline again, make the waterfall, see where the cycles went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from mixarray.engine.effects import Effect, effect_of, place_of
from mixarray.engine.fast import total_cycles
from mixarray.mapping.schedule import JobKind
from mixarray_analysis.progress import Report
from mixarray_analysis.runs import BASELINE
from mixarray_analysis.simulation import Simulated, count, high_bits, simulate_uniform, ungated
from mixarray_analysis.speedup import Counters
from mixarray_analysis.subjects import Subject, check_comparable, counters_sha256, simulate_again
from mixarray_analysis.waterfall import Evaluate, Waterfall, make_waterfall, without_kind_cycles


@dataclass(frozen=True, slots=True)
class Lever:
    """The (unit, kind) that holds most of a run's critical chain beside streams, and what it would be without it.

    attributed_cycles: on the chain, of total_cycles. free_cycles, free_against_cycles: totals of the run and of what
    it is compared with where these jobs take no time. All are means per image.
    """

    unit: str
    kind: str
    attributed_cycles: float
    total_cycles: float
    free_cycles: Fraction
    free_against_cycles: Fraction


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where the speedup of one run on one machine went. busy: cycles that jobs of an effect occupy their units, (of
    what the run is compared with, of the run), means per image.
    """

    subject: Subject
    against: str
    images: int
    execution_sha256: str
    waterfall: Waterfall
    before: Counters
    after: Counters
    busy: Mapping[Effect, tuple[Fraction, Fraction]]
    lever: Lever | None


def explain_run(
    subject: Subject,
    against: Subject | None,
    evaluate: Evaluate = total_cycles,
    report: Report = lambda done, total: None,
) -> Explanation:
    """Explain `subject` over `against` (None: the same model at ratio 0 on the same machine).

    Raises InputError where a run does not come out as it was written, or the two cannot be compared.
    """
    if against is not None:
        check_comparable(subject, against)
    run = simulate_again(subject)
    reference = _ratio_zero(subject) if against is None else simulate_again(against)
    before, after = count(reference), count(run)
    return Explanation(
        subject=subject,
        against=BASELINE if against is None else against.name,
        images=sum(number for _, number in run),
        execution_sha256=counters_sha256(run),
        waterfall=make_waterfall(run, reference, subject.bundle.manifest.weight_bits, evaluate, report),
        before=before,
        after=after,
        busy=_busy(reference, run),
        lever=_lever(run, reference, after, evaluate),
    )


def _ratio_zero(subject: Subject) -> Simulated:
    """The default baseline; its codes were not recorded, and zero gating changes no cycle."""
    return simulate_uniform(subject.bundle, ungated(subject.accelerator), high_bits(subject.bundle))


def _busy(reference: Simulated, run: Simulated) -> dict[Effect, tuple[Fraction, Fraction]]:
    """Busy cycles by effect, streams left out: their effects are steps of the waterfall."""
    before, after = (_busy_of(simulated) for simulated in (reference, run))
    return {effect: (before[effect], after[effect]) for effect in Effect}


def _busy_of(simulated: Simulated) -> dict[Effect, Fraction]:
    images = sum(number for _, number in simulated)
    busy = dict.fromkeys(Effect, Fraction(0))
    for simulation, number in simulated:
        units = simulation.schedule.units
        for grouped, counts in zip(simulation.workload.operators, simulation.execution.operators, strict=True):
            for (unit, kind), cycles in counts.busy_cycles.items():
                if kind is not JobKind.STREAM:
                    effect = effect_of(kind, place_of(units[unit]), grouped.operator.kind)
                    busy[effect] += Fraction(cycles * number, images)
    return busy


def _lever(run: Simulated, reference: Simulated, after: Counters, evaluate: Evaluate) -> Lever | None:
    found = [(cycles, key) for key, cycles in after.attributed_cycles.items() if key[1] != JobKind.STREAM.value]
    if not found:
        return None
    cycles, (unit, kind) = min(found, key=lambda entry: (-entry[0], entry[1]))
    free, free_against = (without_kind_cycles(each, unit, JobKind(kind), evaluate) for each in (run, reference))
    return Lever(unit, kind, cycles, after.total_cycles, free, free_against)
