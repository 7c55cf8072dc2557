"""What a check is: a claim, what it is held against, and how many cases of it agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum


class Tier(IntEnum):
    """Where a check stands, from the ground up (design 8)."""

    CLOSED_FORM = 0
    ENGINE = 1
    FUNCTIONAL = 2
    RTL = 3
    PEERS = 4
    PUBLISHED = 5


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something a check needs beyond mixarray itself: whether it is here, and how to get it."""

    name: str
    present: Callable[[], bool]
    obtain: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check ended. `first_mismatch` describes one case that disagrees, empty where none does."""

    cases: int
    mismatches: int
    first_mismatch: str = ""


@dataclass(frozen=True, slots=True)
class Mutants:
    """Deliberate faults that a check must notice, by name, and those it noticed."""

    planted: tuple[str, ...]
    caught: tuple[str, ...]


Progress = Callable[[int], None]
"""Told the number of cases done since the last call."""


@dataclass(frozen=True, slots=True)
class Check:
    """One claim.

    rule says what makes our number and where it lies; source what the other side is, in full; agreement when the two
    agree, and why any slack is allowed.

    run(cases, seed, progress) compares that many cases and is repeatable for a seed; a check over a fixed list
    (golden files) takes at most `cases` of it. mutants(seed) plants every fault in turn and says which were caught.
    """

    name: str
    title: str
    against: str
    rule: str
    source: str
    agreement: str
    tier: Tier
    cases: int
    run: Callable[[int, int, Progress], Outcome]
    mutants: Callable[[int], Mutants]
    needs: tuple[Requirement, ...] = ()


def compare_cases(cases: int, progress: Progress, compare: Callable[[int], str]) -> Outcome:
    """Run `compare(case)` for cases 0 .. cases-1; it says in words how a case disagrees, or nothing."""
    mismatches = 0
    first = ""
    for case in range(cases):
        found = compare(case)
        mismatches += bool(found)
        first = first or found
        progress(1)
    return Outcome(cases, mismatches, first)
