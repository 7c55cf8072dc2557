"""The forms that a chain or a pair can take where there are several, to be compared as wholes.

- Parts of a chain that run together on two arrays: each as its own search has it, or in the fixed form. Searched alone,
  neither knows what the other does to the units they share.
- A pair that may be fused: layerwise or fused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mixarray.mapping.chains import Chain
from mixarray.mapping.fused_plan import Planned
from mixarray.mapping.plan import Planner

Sections = tuple[tuple[Planned, ...], ...]
"""What runs one after the other, and within each, what runs together."""


class FormName(StrEnum):
    """What distinguishes a form from the other one."""

    EXHAUSTIVE = "exhaustive"
    FIXED = "fixed"
    LAYERWISE = "layerwise"
    FUSED = "fused"


@dataclass(frozen=True, slots=True)
class Form:
    """One way to lay out a chain or a pair."""

    name: FormName
    sections: Sections


@dataclass(frozen=True, slots=True)
class Contest:
    """Forms of the same work, in the order that decides between equal ones. parts: the planner of every part of it, and
    the chain that it plans.
    """

    parts: tuple[tuple[Planner, Chain], ...]
    forms: tuple[Form, ...]


Prefer = Callable[[Contest], Form]
"""Says which of several forms is taken."""
