"""A model at one input size, and the contents of its blocks: what the group sizes of a block make of its operators.

Operators keep their places in the topology, whatever is left out. Scoring and ranking, which stages of equal windows
do without, stand there as operators without rows and without inputs: nobody reads them, and they are in no chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mixarray.trace.bops import bops
from mixarray.trace.model import Operator, OperatorKind, Tensor, Topology, Variation
from mixarray.trace.workload import (
    Assignment,
    GroupedOperator,
    WindowCount,
    Workload,
    build_workload,
    without_needless_ranking,
)

Place = tuple[int, int]
"""(stage, block)"""
Counts = tuple[WindowCount, ...]
RANKING = (OperatorKind.TOKEN_MAP, OperatorKind.RANK)


class UncomposableError(Exception):
    """A point that has to be simulated directly; says why."""


@dataclass(frozen=True, slots=True)
class Content:
    """What one block runs: its operators in order, and its bit operations. number: equal for equal contents only."""

    number: int
    operators: tuple[GroupedOperator, ...]
    bops: int


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything outside the blocks, where some stages do without ranking; blocks are left open (operators without
    groups in their places). topology: without that ranking.
    """

    operators: tuple[GroupedOperator, ...]
    topology: Topology
    bops: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A point: the contents of all blocks, in order of their places, and which stages need no ranking."""

    contents: tuple[Content, ...]
    needless: tuple[bool, ...]


class Blocks:
    """The blocks of a topology, and their contents as far as they were asked for."""

    def __init__(self, topology: Topology, window_rows: int, name: str) -> None:
        self.topology, self.window_rows, self.name = topology, window_rows, name
        self.tensors: dict[tuple[int, int], Tensor] = {(t.tensor, t.window_bits): t for t in topology.tensors}
        self.members: dict[Place, tuple[int, ...]] = {}
        for index, op in enumerate(topology.operators):
            if op.variation is not Variation.NONE:
                place = op.stage, op.block
                self.members[place] = (*self.members.get(place, ()), index)
        self.places = tuple(sorted(self.members))
        self.ranked = tuple(sorted({op.stage for op in topology.operators if op.kind in RANKING}))
        self.stages = tuple(sorted({stage for stage, _ in self.places} | {*self.ranked}))
        self._known: dict[tuple[Place, Counts, bool], Content] = {}
        self._frames: dict[tuple[bool, ...], Frame] = {}
        self._bits: dict[Counts, frozenset[int]] = {}
        self._first = 0

    def read(self, assignment: Assignment) -> Reading:
        """The contents of a point.

        Raises InputError as `build_workload` does, and UncomposableError where the assignment is not for these blocks.
        """
        if len(assignment) != len(self.places) or any(place not in assignment for place in self.places):
            raise UncomposableError("its windows are not those of the topology's blocks")
        needless = self._needless(assignment)
        skips = dict(zip(self.stages, needless, strict=True))
        known, contents = self._known, []
        for place in self.places:
            key = place, assignment[place], skips[place[0]]
            found = known.get(key)
            contents.append(self._content(assignment, needless, key) if found is None else found)
        return Reading(tuple(contents), needless)

    def frame(self, assignment: Assignment, needless: tuple[bool, ...]) -> Frame:
        """Everything outside the blocks; `assignment` is any whose stages need no ranking as `needless` says."""
        if needless not in self._frames:
            self._frames[needless] = self._frame(without_needless_ranking(self.topology, assignment))
        return self._frames[needless]

    def workload(self, frame: Frame, contents: Sequence[tuple[GroupedOperator, ...]]) -> Workload:
        """All operators of a point, in their places in the topology."""
        operators = list(frame.operators)
        for place, content in zip(self.places, contents, strict=True):
            for index, grouped in zip(self.members[place], content, strict=True):
                operators[index] = grouped
        return Workload(self.name, tuple(operators), self.tensors, self.window_rows)

    def forget(self) -> None:
        """Drop the contents; numbers are not used again."""
        self._first += len(self._known)
        self._known.clear()
        self._bits.clear()

    def _needless(self, assignment: Assignment) -> tuple[bool, ...]:
        bits: dict[int, set[int]] = {stage: set() for stage in self.stages}
        for place in self.places:
            counts = assignment[place]
            if counts not in self._bits:
                self._bits[counts] = frozenset(count.bits for count in counts if count.windows)
            bits[place[0]] |= self._bits[counts]
        return tuple(len(bits[stage]) == 1 for stage in self.stages)

    def _content(self, assignment: Assignment, needless: tuple[bool, ...], key: tuple[Place, Counts, bool]) -> Content:
        place = key[0]
        frame = self.frame(assignment, needless)
        open_operators = tuple(frame.operators[index].operator for index in self.members[place])
        topology = Topology(open_operators, frame.topology.tensors)
        workload = build_workload(self.name, topology, {place: key[1]}, self.window_rows)
        content = Content(self._first + len(self._known), workload.operators, bops(workload))
        self._known[key] = content
        return content

    def _frame(self, topology: Topology) -> Frame:
        left = {op.operator: op for op in topology.operators}
        fixed = tuple(op for op in topology.operators if op.variation is Variation.NONE)
        workload = build_workload(self.name, Topology(fixed, topology.tensors), {}, self.window_rows)
        grouped = {one.operator.operator: one for one in workload.operators}
        operators = tuple(_standing(op, left, grouped) for op in self.topology.operators)
        return Frame(operators, topology, bops(workload))


def _standing(op: Operator, left: dict[int, Operator], grouped: dict[int, GroupedOperator]) -> GroupedOperator:
    """An operator outside the blocks with its groups, one of a block without, or what stands for one left out."""
    if op.operator in grouped:
        return grouped[op.operator]
    return GroupedOperator(left.get(op.operator) or replace(op, inputs=()), ())
