"""Explaining a run: run it and its baseline again, make the waterfall, see where the cycles went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from mixarray.engine.effects import Effect
from mixarray.engine.fast import total_cycles
from mixarray.images import RATIO_ZERO, Simulated
from mixarray.mapping.schedule import JobKind
from mixarray_analysis.explain_counters import Owner, attributed_by_operator, busy_by_effect
from mixarray_analysis.machine_differences import Difference, machine_differences
from mixarray_analysis.progress import Report
from mixarray_analysis.simulation import count
from mixarray_analysis.speedup import Counters
from mixarray_analysis.subjects import Subject, check_comparable, counters_sha256, simulate_again
from mixarray_analysis.waterfall import Evaluate, make_waterfall, without_kind_cycles
from mixarray_analysis.waterfall_steps import Waterfall

Key = TypeVar("Key")


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
    """Where the speedup of one run went. reference: what it is compared with, `before` of which `subject` is `after`.

    execution_sha256, against_execution_sha256: over the counters of both. busy: cycles that jobs of an effect occupy
    their units, attributed: cycles of the critical chain by owner; both (of the reference, of the run), per image.
    """

    subject: Subject
    reference: Subject
    images: int
    execution_sha256: str
    against_execution_sha256: str
    waterfall: Waterfall
    before: Counters
    after: Counters
    busy: Mapping[Effect, tuple[Fraction, Fraction]]
    attributed: Mapping[Owner, tuple[Fraction, Fraction]]
    lever: Lever | None

    @property
    def machine_differs(self) -> tuple[Difference, ...]:
        """Where the machine of the reference is not that of the run; `ours` is the run's."""
        return machine_differences(self.subject.accelerator, self.reference.accelerator)


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
    reference = _ratio_zero(subject) if against is None else against
    run, baseline = simulate_again(subject), simulate_again(reference)
    after = count(run)
    return Explanation(
        subject=subject,
        reference=reference,
        images=sum(number for _, number in run),
        execution_sha256=counters_sha256(run),
        against_execution_sha256=counters_sha256(baseline),
        waterfall=make_waterfall(run, baseline, subject.bundle.manifest.weight_bits, evaluate, report),
        before=count(baseline),
        after=after,
        busy=_pairs(busy_by_effect(baseline), busy_by_effect(run)),
        attributed=_pairs(attributed_by_operator(baseline), attributed_by_operator(run)),
        lever=_lever(run, baseline, after, evaluate),
    )


def _ratio_zero(subject: Subject) -> Subject:
    """The default baseline."""
    return Subject(RATIO_ZERO, subject.bundle, subject.accelerator, ratio_zero=True)


def _pairs(before: Mapping[Key, Fraction], after: Mapping[Key, Fraction]) -> dict[Key, tuple[Fraction, Fraction]]:
    """Both values of every key that either has."""
    return {key: (before.get(key, Fraction(0)), after.get(key, Fraction(0))) for key in {**before, **after}}


def _lever(run: Simulated, reference: Simulated, after: Counters, evaluate: Evaluate) -> Lever | None:
    found = [(cycles, key) for key, cycles in after.attributed_cycles.items() if key[1] != JobKind.STREAM.value]
    if not found:
        return None
    cycles, (unit, kind) = min(found, key=lambda entry: (-entry[0], entry[1]))
    free, free_against = (without_kind_cycles(each, unit, JobKind(kind), evaluate) for each in (run, reference))
    return Lever(unit, kind, cycles, after.total_cycles, free, free_against)
