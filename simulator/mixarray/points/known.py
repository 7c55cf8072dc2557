"""Plans of groups, by number, with what residency asks of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mixarray.mapping.forms import Sections
from mixarray.points.capacities import ByCapacity
from mixarray.points.network import UncomposableError
from mixarray.points.plans import Following, Lone, alone, crossing, first_weights, made_in, space_of
from mixarray.points.pool import Pool
from mixarray.points.stays import Spaces

NO_WEIGHTS = 0
MOST_NAMES = 62
"""Tensors of a group: which of them stay is a number of so many bits."""


@dataclass(frozen=True, slots=True)
class KnownPlan:
    """A group's plan. lone: it, by itself. names: its tensors' places, in the order of their own numbers. weights: the
    number of its first ones. made: the tensors that it makes for others. steps: by (border, tensors that stay, weights
    that follow).
    """

    lone: Lone
    names: tuple[int, ...]
    weights: int
    made: tuple[int, ...]
    steps: dict[tuple[int, int, int], ByCapacity[int]] = field(default_factory=dict, compare=False)


class KnownPlans:
    """All plans; equal ones share what they are by themselves. slots: the place of every tensor. weights: what plans
    have of first weights, by number; NO_WEIGHTS: none.
    """

    def __init__(self, slots: Mapping[int, int]) -> None:
        self.slots = slots
        self.every: list[KnownPlan] = []
        self.weights: list[Following | None] = [None]
        self._weight_numbers: dict[Following | None, int] = {None: NO_WEIGHTS}
        self._lone: dict[Lone, Lone] = {}
        self._plans, self._need, self._entries, self._sizes = Pool(8), Pool(), Pool(5), Pool(2)
        self._names = Pool()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.every)

    def spaces(self) -> Spaces:
        """Their space."""
        pools = self._plans, self._need, self._entries, self._sizes, self._names
        return Spaces(*(pool.rows for pool in pools))

    def add(self, sections: Sections, leaving: frozenset[int], tensor_bits: Callable[[int], int]) -> int:
        """The number of a new plan; leaving: the tensors that other groups read."""
        tensors, made = crossing(sections), made_in(sections)
        if len(tensors) > MOST_NAMES:
            raise UncomposableError("a group has many tensors")
        lone = alone(sections, tensors, leaving)
        names = tuple(self.slots[tensor] for tensor in tensors)
        plan = KnownPlan(self._lone.setdefault(lone, lone), names, self._weights(sections), made)
        spaces = [space_of(section) for section in sections]
        entries = [
            (self.slots[tensor], number, bits, makes, reads)
            for number, space in enumerate(spaces)
            for tensor, bits, makes, reads in space.tensors
        ]
        sizes = [(self.slots[tensor], tensor_bits(tensor)) for tensor in made]
        need = [space.need_bits for space in spaces]
        row: list[int] = []
        for pool, rows in ((self._need, need), (self._entries, entries), (self._sizes, sizes), (self._names, names)):
            row += [pool.add(rows), len(rows)]
        self._plans.add([row])
        self.every.append(plan)
        return len(self.every) - 1

    def _weights(self, sections: Sections) -> int:
        """The number of what they have of first weights."""
        weights = first_weights(sections)
        if weights not in self._weight_numbers:
            self._weight_numbers[weights] = len(self.weights)
            self.weights.append(weights)
        return self._weight_numbers[weights]
