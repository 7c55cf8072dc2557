"""Why points are refused or fail: counted by reason, with one example of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][+-]?\d+)?")
GAP = "#"


@dataclass(frozen=True, slots=True)
class Reason:
    """Points of one reason: how many, the lowest of their numbers, the reason of that one in full, which of the numbers
    in it differ among them (by place), and what that point asks for (empty until it is looked up)."""

    count: int
    first: int
    example: str
    varying: frozenset[int] = frozenset()
    point: str = ""

    @property
    def pattern(self) -> str:
        """The reason with a GAP for every number that differs."""
        places = iter(range(len(self.example)))
        return _NUMBER.sub(lambda number: GAP if next(places) in self.varying else number[0], self.example)

    @property
    def differing(self) -> tuple[str, ...]:
        """What the gaps are in the example."""
        return tuple(text for place, text in enumerate(_NUMBER.findall(self.example)) if place in self.varying)


Reasons = Mapping[str, Reason]
"""By the reason with every number in it left out."""


def grouped(reasons: Iterable[tuple[int, str]]) -> Reasons:
    """Reasons of points by (number of the point, reason)."""
    return merged({_NUMBER.sub(GAP, reason): Reason(1, number, reason)} for number, reason in reasons)


def merged(parts: Iterable[Reasons]) -> Reasons:
    """Several, put together: the same in any order."""
    found: dict[str, Reason] = {}
    for part in parts:
        for shape, new in part.items():
            found[shape] = _both(found[shape], new) if shape in found else new
    return dict(sorted(found.items()))


def _both(one: Reason, other: Reason) -> Reason:
    first = min(one, other, key=lambda reason: reason.first)
    numbers = zip(_NUMBER.findall(one.example), _NUMBER.findall(other.example), strict=True)
    differing = {place for place, (mine, theirs) in enumerate(numbers) if mine != theirs}
    varying = one.varying | other.varying | differing
    return Reason(one.count + other.count, first.first, first.example, varying, first.point)


def reasons_data(reasons: Reasons) -> list[dict[str, Any]]:
    """Reasons as JSON values, the most frequent first."""
    every = sorted(reasons.items(), key=lambda item: (-item[1].count, item[0]))
    return [
        {"reason": one.pattern, "points": one.count, "example": one.example, "point": one.point} for _, one in every
    ]


def reasons_lines(what: str, reasons: Reasons, most: int) -> list[str]:
    """The same for people, two lines each: what happened to how many points and why, and the first of them."""
    every = sorted(reasons.items(), key=lambda item: (-item[1].count, item[0]))
    lines = [f"{what} {one.count:,}: {_said(one)}\n  first: {one.point}" for _, one in every[:most]]
    return [*lines, *([f"and {len(every) - most} more reasons"] if len(every) > most else [])]


def _said(reason: Reason) -> str:
    return reason.pattern + (f", e.g. {', '.join(reason.differing)}" if reason.varying else "")
