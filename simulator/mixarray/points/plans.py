"""Planned chains that follow each other, numbered by themselves: equal ones are lowered once, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mixarray.mapping.chain_plan import ChainPlan, Holding, Stage, Traffic, VectorWork
from mixarray.mapping.chains import Chain
from mixarray.mapping.forms import Sections
from mixarray.mapping.fused_plan import FusedPlan, Planned, members
from mixarray.mapping.residency import codes_in_flight, tile_bits
from mixarray.mapping.tiles import Loops
from mixarray.mapping.together import weights_in_order

ELSEWHERE = -1
"""In place of an operator outside the group."""
NO_LOOPS = Loops((), (), 0, 1)


@dataclass(frozen=True, slots=True)
class Following:
    """All that the present group asks of the next weights: their bits, whether one fetch brings them, and its slots."""

    bits: int
    whole: bool
    slots: int

    @property
    def plan(self) -> ChainPlan:
        """A plan that has nothing else."""
        holding = Holding(1, False, self.slots, self.whole)
        return ChainPlan(Chain((), ELSEWHERE, ()), NO_LOOPS, (), (), (), self.bits, 0, holding, None)


@dataclass(frozen=True, slots=True)
class Lone:
    """Sections of a group with operators and tensors numbered as they come.

    reads, leaves: tensors that come from other groups, and that others read. tensors: how many there are.
    """

    sections: Sections
    reads: tuple[int, ...]
    leaves: tuple[int, ...]
    tensors: int


@dataclass(frozen=True, slots=True)
class Space:
    """What residency asks of one section: (tensor, bits in flight, made, read) of every tensor that crosses its border,
    and all bits in flight.
    """

    tensors: tuple[tuple[int, int, bool, bool], ...]
    need_bits: int


def space_of(section: Sequence[Planned]) -> Space:
    """The space that a section takes, its tensors by their own numbers."""
    plans = [plan for planned in section for plan in members(planned)]
    flying: dict[int, int] = {}
    made: set[int] = set()
    read: set[int] = set()
    for plan in plans:
        for entry in plan.traffic:
            (made if entry.stage in (Stage.FED, Stage.OUT) else read).add(entry.tensor)
            flying[entry.tensor] = flying.get(entry.tensor, 0) + tile_bits(plan, entry.stage, entry.bits)
    need = sum(flying.values()) + sum(codes_in_flight(plan) for plan in plans)
    return Space(tuple((tensor, bits, tensor in made, tensor in read) for tensor, bits in flying.items()), need)


def made_in(sections: Sections) -> tuple[int, ...]:
    """The tensors that sections make for others, in order."""
    entries = (e for section in sections for planned in section for plan in members(planned) for e in plan.traffic)
    return tuple(dict.fromkeys(entry.tensor for entry in entries if entry.stage in (Stage.FED, Stage.OUT)))


def first_weights(sections: Sections) -> Following | None:
    """What the group before these sections asks of their first weights; None: they have none."""
    plans = weights_in_order(sections)
    if not plans:
        return None
    return Following(plans[0].weight_bits, plans[0].holding.weights_whole, plans[0].holding.weight_slots)


def crossing(sections: Sections) -> tuple[int, ...]:
    """All tensors that plans of sections name, in order of their first appearance."""
    found: dict[int, None] = {}
    for entry in (e for section in sections for planned in section for plan in members(planned) for e in plan.traffic):
        found[entry.tensor] = None
        if entry.copy_of is not None:
            found[entry.copy_of] = None
    return tuple(found)


def alone(sections: Sections, tensors: Sequence[int], leaving: frozenset[int]) -> Lone:
    """Sections by themselves; `tensors` are `crossing` of them, leaving: those that other groups may read."""
    operators: dict[int, int] = {}
    for section in sections:
        for planned in section:
            for plan in members(planned):
                for index in plan.chain.operators:
                    operators.setdefault(index, len(operators))
    places = {tensor: place for place, tensor in enumerate(tensors)}
    renumber = _Renumber(operators, places)
    made = set(made_in(sections))
    return Lone(
        tuple(tuple(renumber.planned(planned) for planned in section) for section in sections),
        tuple(place for tensor, place in places.items() if tensor not in made),
        tuple(place for tensor, place in places.items() if tensor in made and tensor in leaving),
        len(tensors),
    )


@dataclass(frozen=True, slots=True)
class _Renumber:
    """New numbers of operators and tensors. One chain stays one object: plans of its parts are told apart by that."""

    operators: Mapping[int, int]
    tensors: Mapping[int, int]
    chains: dict[int, Chain] = field(default_factory=dict)

    def planned(self, planned: Planned) -> Planned:
        """The same with new numbers."""
        if isinstance(planned, FusedPlan):
            return replace(planned, first=self.plan(planned.first), second=self.plan(planned.second))
        return self.plan(planned)

    def plan(self, plan: ChainPlan) -> ChainPlan:
        """The same with new numbers."""
        return replace(
            plan,
            chain=self.chain(plan.chain),
            before=tuple(map(self.work, plan.before)),
            after=tuple(map(self.work, plan.after)),
            traffic=tuple(map(self.entry, plan.traffic)),
            parameters=tuple((self.operators[index], bits) for index, bits in plan.parameters),
        )

    def chain(self, chain: Chain) -> Chain:
        """The same with new numbers."""
        if id(chain) not in self.chains:
            gemm = None if chain.gemm is None else self.operators[chain.gemm]
            self.chains[id(chain)] = Chain(self._numbers(chain.before), gemm, self._numbers(chain.after))
        return self.chains[id(chain)]

    def work(self, work: VectorWork) -> VectorWork:
        """The same with new numbers."""
        makers = tuple(self.operators.get(maker, ELSEWHERE) for maker in work.makers)
        return replace(work, operator=self.operators[work.operator], makers=makers)

    def entry(self, entry: Traffic) -> Traffic:
        """The same with new numbers."""
        copied = None if entry.copy_of is None else self.tensors[entry.copy_of]
        return replace(
            entry, tensor=self.tensors[entry.tensor], operator=self.operators[entry.operator], copy_of=copied
        )

    def _numbers(self, operators: Iterable[int]) -> tuple[int, ...]:
        return tuple(self.operators[index] for index in operators)
