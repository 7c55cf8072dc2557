"""Counters of several images that an explanation shows: busy cycles by effect, critical chains by operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from mixarray.engine.effects import Effect, effect_of, place_of
from mixarray.images import Simulated
from mixarray.mapping.schedule import JobKind


class Owner(NamedTuple):
    """Who a cycle of a critical chain belongs to: an operator of the model, a unit and a kind of job."""

    number: int
    operator: str
    unit: str
    kind: str


def busy_by_effect(simulated: Simulated) -> Mapping[Effect, Fraction]:
    """Cycles that jobs of each effect occupy their units, mean per image; streams left out: they have several."""
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


def attributed_by_operator(simulated: Simulated) -> Mapping[Owner, Fraction]:
    """Cycles of the critical chain by owner, mean per image: they sum to the total.

    Raises ValueError where a simulation was run without a timeline.
    """
    images = sum(number for _, number in simulated)
    found: Counter[Owner] = Counter()
    for simulation, number in simulated:
        if simulation.attribution is None:
            raise ValueError("the simulation was run without a timeline: nothing is attributed")
        operators = simulation.workload.operators
        for (index, unit, kind), cycles in simulation.attribution.cycles.items():
            found[Owner(index, operators[index].operator.name, unit, kind.value)] += cycles * number
    return {owner: Fraction(cycles, images) for owner, cycles in found.items()}
