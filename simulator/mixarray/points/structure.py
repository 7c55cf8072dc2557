"""The chains of a point, and what the plan of each depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np

from mixarray.mapping.chains import Chain, Flow
from mixarray.mapping.pairs import Pair
from mixarray.points.capacities import ByCapacity, Capacities
from mixarray.points.network import RANKING, Blocks
from mixarray.points.noted import Notes
from mixarray.points.stays import NEVER, Memories
from mixarray.trace.model import Variation

Values = Sequence[int]
"""All that distinguishes points: the number of each block's content, then whether each stage needs no ranking."""


class Sources:
    """Which of these values the operators of a topology, and the readers of its tensors, depend on."""

    def __init__(self, blocks: Blocks) -> None:
        operators, block_of = blocks.topology.operators, {place: n for n, place in enumerate(blocks.places)}
        flags = {stage: len(block_of) + number for number, stage in enumerate(blocks.stages)}
        gone = {op.output: flags[op.stage] for op in operators if op.kind in RANKING}
        self._ranking: list[frozenset[int]] = []
        self._content: list[int | None] = []
        self._readers: dict[int, set[int]] = {}
        for op in operators:
            ranked = {gone[entry.tensor] for entry in op.inputs if entry.tensor in gone}
            ranked |= {flags[op.stage]} if op.kind in RANKING else set()
            self._ranking.append(frozenset(ranked))
            self._content.append(None if op.variation is Variation.NONE else block_of[op.stage, op.block])
            for entry in op.inputs:
                self._readers.setdefault(entry.tensor, set()).update(ranked)

    def of(self, notes: Notes) -> frozenset[int]:
        """The values that what was looked at depends on."""
        found: set[int] = set()
        for index in notes.grouped:
            content = self._content[index]
            found |= self._ranking[index] | (set() if content is None else {content})
        for index in notes.operators:
            found |= self._ranking[index]
        for tensor in notes.readers:
            found |= self._readers.get(tensor, set())
        return frozenset(found)


@dataclass
class Group:
    """A chain, or a fused pair of them, and its plans by the values and the capacities that they depend on.

    needs: those values' places. leaving: tensors that operators of other groups may read. made: the tensors that it
    makes for others, in order, once they are known.
    """

    chain: Chain | Pair
    needs: tuple[int, ...]
    leaving: frozenset[int]
    plans: dict[object, ByCapacity[int]] = field(default_factory=dict)
    made: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        self.key = _taking(self.needs)

    def plan(self, values: Values, sizes: Capacities) -> int | None:
        """The number of the plan for these, if it is known."""
        known = self.plans.get(self.key(values))
        return None if known is None else known.find(sizes)

    def also_needs(self, needs: frozenset[int]) -> None:
        """Plans depend on these values too; those known so far did not look at them, and are found anew."""
        if not needs <= set(self.needs):
            self.needs = tuple(sorted(needs.union(self.needs)))
            self.key = _taking(self.needs)
            self.plans.clear()


@dataclass(frozen=True, slots=True)
class Structure:
    """The groups of a point in order, and the memories of the tensors that they make."""

    groups: tuple[Group, ...]
    memories: Memories


def leaving(chain: Chain | Pair, flow: Flow) -> frozenset[int]:
    """The tensors that operators outside this chain read."""
    plain = chain.chains if isinstance(chain, Pair) else (chain,)
    inside = {index for each in plain for index in each.operators}
    made = (flow.operators[index].output for index in inside)
    return frozenset(t for t in made if any(reader not in inside for reader in flow.consumers.get(t, ())))


def memories_of(made: Sequence[int], shared: Iterable[frozenset[int]], tensors: int) -> Memories:
    """The memories of tensors in the order in which these are made; `shared` are sets of tensors in one memory."""
    memory_of = {tensor: memory for memory in shared for tensor in memory}
    order = list(dict.fromkeys(memory_of.get(tensor, frozenset([tensor])) for tensor in made))
    places = np.full(tensors, NEVER, np.int64)
    for number, memory in enumerate(order):
        places[sorted(memory)] = number
    starts = np.cumsum([0, *map(len, order)], dtype=np.int64)
    return Memories(starts, np.array([t for memory in order for t in sorted(memory)], np.int64), places)


def _taking(places: tuple[int, ...]) -> Callable[[Values], object]:
    """What takes the values at these places out of all."""
    return itemgetter(*places) if places else (lambda _: ())
