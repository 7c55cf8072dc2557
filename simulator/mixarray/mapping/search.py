"""The best and the second best choice for a chain, exactly: best first by bound, until no bound can win.

Choices are compared by the cycles of the chain alone, from an empty pipeline, then by DRAM traffic, by energy, and in
the lexical order of `Choice`. A candidate is evaluated by lowering it and running its Schedule, unless its bound
already loses against the second best.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mixarray.mapping.bound import Bounds
from mixarray.mapping.choice import Choice
from mixarray.mapping.schedule import Schedule

KEPT = 2
NONE = -1

Lower = Callable[[Choice], Schedule | None]
"""The Schedule of a choice by itself; None: it cannot be, for a reason that only its plan tells."""


@dataclass(frozen=True)
class Evaluate:
    """How a Schedule is judged: its cycles, and, asked for only where these and the traffic are equal, its energy."""

    cycles: Callable[[Schedule], int]
    energy_pj: Callable[[Schedule], float]


@dataclass(frozen=True)
class Evaluated:
    """A choice that was run."""

    choice: Choice
    cycles: int
    traffic_bits: int
    bound_cycles: int
    schedule: Schedule = field(repr=False)
    evaluate: Evaluate = field(repr=False)

    @cached_property
    def energy_pj(self) -> float:
        """Energy of the chain alone."""
        return self.evaluate.energy_pj(self.schedule)

    def beats(self, other: Evaluated) -> bool:
        """Whether it comes before another choice."""
        mine, theirs = (self.cycles, self.traffic_bits), (other.cycles, other.traffic_bits)
        if mine != theirs:
            return mine < theirs
        return (self.energy_pj, self.choice) < (other.energy_pj, other.choice)


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a search. candidates: points of the space; bounded: those with a fine bound; evaluated: those run.

    best: None if no point of the space can be.
    """

    best: Evaluated | None
    runner_up: Evaluated | None
    candidates: int
    bounded: int
    evaluated: int


def search(bounds: Bounds, lower: Lower, evaluate: Evaluate) -> Found:
    """Search the whole space of `bounds`."""
    estimates = bounds.estimates()
    traffic, coarse = estimates.traffic_bits.tolist(), estimates.coarse_cycles.tolist()
    rest = deque(np.lexsort((estimates.traffic_bits, estimates.coarse_cycles)).tolist())
    bounded: list[_Bounded] = []
    best: list[Evaluated] = []
    fine = evaluated = 0
    while rest or bounded:
        first = rest[0] if rest else NONE
        if first != NONE and (not bounded or (coarse[first], traffic[first]) <= bounded[0].key):
            if _loses((coarse[first], traffic[first]), best):
                break
            rest.popleft()
            choice = estimates.choices[first]
            cycles = max(coarse[first], bounds.fine(choice))
            heapq.heappush(bounded, _Bounded((cycles, traffic[first]), choice))
            fine += 1
        else:
            candidate = heapq.heappop(bounded)
            if _loses(candidate.key, best):
                break
            schedule = lower(candidate.choice)
            if schedule is not None:
                evaluated += 1
                _insert(best, _run(candidate, schedule, evaluate))
    first_two = [*best, None, None]
    return Found(first_two[0], first_two[1], len(coarse), fine, evaluated)


@dataclass(frozen=True, order=True, slots=True)
class _Bounded:
    """A candidate with its fine bound: key is (cycles at least, traffic)."""

    key: tuple[int, int]
    choice: Choice


def _loses(key: tuple[int, int], best: list[Evaluated]) -> bool:
    """Whether a candidate, at its bound, comes behind the second best; equal ones are left to energy and order."""
    return len(best) == KEPT and key > (best[1].cycles, best[1].traffic_bits)


def _run(candidate: _Bounded, schedule: Schedule, evaluate: Evaluate) -> Evaluated:
    bound, traffic = candidate.key
    return Evaluated(candidate.choice, evaluate.cycles(schedule), traffic, bound, schedule, evaluate)


def _insert(best: list[Evaluated], new: Evaluated) -> None:
    """Keep the best ones in order."""
    place = next((place for place, other in enumerate(best) if new.beats(other)), len(best))
    best.insert(place, new)
    del best[KEPT:]
