"""Why points are refused: counted by reason, with one example of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """Points refused for one reason: how many, the lowest of their numbers, its reason in full, and what it asks for
    (empty until it is looked up)."""

    count: int
    first: int
    example: str
    point: str = ""


Refusals = Mapping[str, Refused]
"""By the reason with every number in it left out."""


def grouped(reasons: Iterable[tuple[int, str]]) -> Refusals:
    """Reasons of points by (number of the point, reason)."""
    return merged({_shape(reason): Refused(1, number, reason)} for number, reason in reasons)


def merged(parts: Iterable[Refusals]) -> Refusals:
    """Several, put together: the same in any order."""
    found: dict[str, Refused] = {}
    for part in parts:
        for shape, new in part.items():
            old = found.get(shape, Refused(0, new.first, new.example))
            first = min(old, new, key=lambda one: one.first)
            found[shape] = Refused(old.count + new.count, first.first, first.example)
    return dict(sorted(found.items()))


def _shape(reason: str) -> str:
    return re.sub(r"\d[\d,]*(\.\d+)?", "#", reason)
