"""The best and the second best choice for a chain, exactly: best first by bound, until no bound can win.

Choices are compared by the cycles of the chain alone, from an empty pipeline, then by DRAM traffic, by energy, and in
the lexical order of `Choice`. A candidate is evaluated by lowering it and running its Schedule, unless its bound
already loses against the second best.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

from mixarray.mapping.bound import LARGEST, Bounds
from mixarray.mapping.choice import Choice
from mixarray.mapping.schedule import Schedule

KEPT = 2
NEAR = 64
"""Fine bounds larger than the smallest one by more than this part of it are not finished until they have to be."""

Lower = Callable[[Choice], Schedule | None]
"""The Schedule of a choice by itself; None: it cannot be, for a reason that only its plan tells."""


@dataclass(frozen=True)
class Evaluate:
    """How a Schedule is judged: its cycles, and, asked for only where these and the traffic are equal, its energy.

    Traffic has a closed form for every point of a space; `traffic_bits` counts it where forms are compared.
    """

    cycles: Callable[[Schedule], int]
    energy_pj: Callable[[Schedule], float]
    traffic_bits: Callable[[Schedule], int]


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
    waiting = [
        _Waiting((cycles, traffic), Known.COARSE, choice, place)
        for place, (choice, cycles, traffic) in enumerate(
            zip(estimates.choices, estimates.coarse_cycles.tolist(), estimates.traffic_bits.tolist(), strict=True)
        )
    ]
    heapq.heapify(waiting)
    candidates, bounded, evaluated, limit = len(waiting), 0, 0, LARGEST
    best: list[Evaluated] = []
    while waiting and not _loses(waiting[0].key, best):
        first = heapq.heappop(waiting)
        if first.known is Known.FINE:
            schedule = lower(first.choice)
            if schedule is not None:
                evaluated += 1
                _insert(best, _run(first, schedule, evaluate))
            continue
        within = limit if first.known is Known.COARSE else LARGEST
        bounded += first.known is Known.COARSE
        cycles = max(first.key[0], bounds.fine(estimates, first.place, within))
        known = Known.FINE if cycles <= within else Known.PART
        limit = min(limit, cycles + cycles // NEAR) if known is Known.FINE else limit
        heapq.heappush(waiting, _Waiting((cycles, first.key[1]), known, first.choice, first.place))
    first_two = [*best, None, None]
    return Found(first_two[0], first_two[1], candidates, bounded, evaluated)


class Known(IntEnum):
    """How much is known of a candidate: its coarse bound, a part of its fine bound, or all of it."""

    COARSE = 0
    PART = 1
    FINE = 2


@dataclass(frozen=True, order=True, slots=True)
class _Waiting:
    """A candidate with its bound so far: key is (cycles at least, traffic); place: among the estimates."""

    key: tuple[int, int]
    known: Known
    choice: Choice
    place: int


def _loses(key: tuple[int, int], best: list[Evaluated]) -> bool:
    """Whether a candidate, at its bound, comes behind the second best; equal ones are left to energy and order."""
    return len(best) == KEPT and key > (best[1].cycles, best[1].traffic_bits)


def _run(candidate: _Waiting, schedule: Schedule, evaluate: Evaluate) -> Evaluated:
    bound, traffic = candidate.key
    return Evaluated(candidate.choice, evaluate.cycles(schedule), traffic, bound, schedule, evaluate)


def _insert(best: list[Evaluated], new: Evaluated) -> None:
    """Keep the best ones in order."""
    place = next((place for place, other in enumerate(best) if new.beats(other)), len(best))
    best.insert(place, new)
    del best[KEPT:]
