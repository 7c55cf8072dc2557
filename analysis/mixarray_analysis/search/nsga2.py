"""NSGA-II (Deb et al. 2002) by pymoo's ask and tell, with a generator of ours and a state in plain values.

MixA-Q searches by NSGA-II; its population, operators and generations are not published. Ours, a guess: simulated binary
crossover and polynomial mutation, both with distribution index 3, rounded and repaired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isinf
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM

from mixarray_analysis.search.space import LARGEST, Genes, Space

DISTRIBUTION_INDEX = 3


@dataclass(frozen=True, slots=True)
class Member:
    """A setting of the population: its minimised objectives, the rank of its front and its crowding distance."""

    genes: Genes
    objectives: tuple[float, float]
    rank: int
    crowding: float


@dataclass(frozen=True, slots=True)
class State:
    """All that the next generation depends on. generation: how many were told; generator: numpy's bit generator."""

    generation: int
    members: tuple[Member, ...]
    generator: Mapping[str, Any]

    @classmethod
    def start(cls, seed: int) -> State:
        """Before the first generation."""
        return cls(0, (), np.random.default_rng(seed).bit_generator.state)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the crowding distance of a front's ends is infinite, here null."""
        members = [
            {
                "genes": list(one.genes),
                "objectives": list(one.objectives),
                "rank": one.rank,
                "crowding": None if isinf(one.crowding) else one.crowding,
            }
            for one in self.members
        ]
        return {"generation": self.generation, "members": members, "generator": dict(self.generator)}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> State:
        """What `to_json` wrote; KeyError, TypeError or ValueError for anything else."""
        members = tuple(
            Member(
                tuple(int(gene) for gene in one["genes"]),
                (float(one["objectives"][0]), float(one["objectives"][1])),
                int(one["rank"]),
                inf if one["crowding"] is None else float(one["crowding"]),
            )
            for one in saved["members"]
        )
        _generator(saved["generator"])
        return cls(int(saved["generation"]), members, saved["generator"])


class Search:
    """One run of NSGA-II over a space; `state` between two generations is all it is made of."""

    def __init__(self, space: Space, population: int, state: State) -> None:
        self._generator = _generator(state.generator)
        self._generation = state.generation
        sampling: Any = None if state.members else _first_settings(space, population, self._generator)
        operators = SBX(prob=1.0, eta=DISTRIBUTION_INDEX), PM(prob=1.0, eta=DISTRIBUTION_INDEX)

        def repair(_problem: object, drawn: Any, **_: object) -> Any:
            drawn.set("X", space.repair(np.rint(drawn.get("X").astype(float)).astype(np.int64)))
            return drawn

        self._algorithm: Any = NSGA2(
            pop_size=population, sampling=sampling, crossover=operators[0], mutation=operators[1], repair=repair
        )
        problem = Problem(n_var=space.genes, n_obj=2, xl=0, xu=LARGEST)
        self._algorithm.setup(problem, termination=NoTermination())
        self._algorithm.random_state = self._generator
        if state.members:
            self._algorithm.pop = _population(state.members)
            self._algorithm.is_initialized = True
            self._algorithm.n_iter = state.generation + 1
        self._asked: Any = None

    def ask(self) -> list[Genes]:
        """The settings of the next generation; none where the population has no new neighbours."""
        self._asked = self._algorithm.ask()
        return [] if self._asked is None else [_genes(one) for one in self._asked.get("X")]

    def tell(self, objectives: Sequence[tuple[float, float]]) -> State:
        """Select among the population and the settings asked for; `objectives` are minimised, in their order."""
        self._asked.set("F", np.array(objectives, dtype=np.float64))
        self._algorithm.tell(infills=self._asked)
        self._generation += 1
        members = tuple(_member(one) for one in self._algorithm.pop)
        return State(self._generation, members, self._generator.bit_generator.state)


def _generator(state: Mapping[str, Any]) -> np.random.Generator:
    generator = np.random.default_rng(0)
    generator.bit_generator.state = dict(state)
    return generator


def _first_settings(space: Space, population: int, generator: np.random.Generator) -> Any:
    """The same ratio everywhere at evenly spread levels, for half of the population at most; the rest drawn freely."""
    levels = np.rint(np.linspace(0, LARGEST, min(LARGEST + 1, max(2, population // 2)))).astype(int)
    found = dict.fromkeys(space.uniform(int(level)) for level in levels)
    wanted = min(population, space.size)
    while len(found) < wanted:
        drawn = generator.integers(0, LARGEST + 1, size=(wanted - len(found), space.genes))
        found |= dict.fromkeys(_genes(one) for one in space.repair(drawn))
    return np.array(list(found)[:wanted], dtype=np.int64)


def _population(members: Sequence[Member]) -> Any:
    return Population.new(
        X=np.array([one.genes for one in members], dtype=np.int64),
        F=np.array([one.objectives for one in members], dtype=np.float64),
        rank=np.array([one.rank for one in members]),
        crowding=np.array([one.crowding for one in members]),
    )


def _member(one: Any) -> Member:
    first, second = one.F.tolist()
    return Member(_genes(one.X), (first, second), int(one.get("rank")), float(one.get("crowding")))


def _genes(row: Any) -> Genes:
    return tuple(int(gene) for gene in row)
