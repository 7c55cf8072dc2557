"""NSGA-II: a stopped search that goes on is the same search, bit for bit; it finds known fronts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mixarray_analysis.search.front import Trade, front_of
from mixarray_analysis.search.indicators import hypervolume
from mixarray_analysis.search.nsga2 import Search, State
from mixarray_analysis.search.progress import Reached, run_generations
from mixarray_analysis.search.settings import Limits, Stopped
from mixarray_analysis.search.space import Genes, Space

SPACE = Space((1, 1, 3))
POPULATION = 12


def bent(asked: Sequence[Genes]) -> list[Trade]:
    """A stand-in whose best trade is not the uniform one: cheap early pairs, costly mistakes in the last one."""
    weight, harm = np.array([5, 4, 3, 2, 1]), np.array([1, 2, 3, 5, 9])
    return [
        Trade(float(1 - (np.array(one) * weight).sum() / 150), float(1 - (np.array(one) ** 2 * harm).sum() / 1500))
        for one in asked
    ]


def generations(state: State, count: int) -> State:
    """Some generations in one search."""
    search = Search(SPACE, POPULATION, state)
    for _ in range(count):
        asked = search.ask()
        state = search.tell([(one.cost, -one.accuracy) for one in bent(asked)])
    return state


def through_file(state: State) -> State:
    return State.from_json(json.loads(json.dumps(state.to_json(), allow_nan=False)))


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_resumed_equals_straight(seed: int) -> None:
    straight = generations(State.start(seed), 6)
    resumed = State.start(seed)
    for _ in range(6):
        resumed = generations(through_file(resumed), 1)
    assert resumed == straight
    assert len({one.genes for one in straight.members}) == POPULATION


@pytest.mark.parametrize("part", ["generator", "crowding", "order"])
def test_a_checkpoint_that_forgets_a_part_goes_elsewhere(part: str) -> None:
    half = generations(State.start(0), 3)
    forgetful = {
        "generator": replace(half, generator=State.start(0).generator),
        "crowding": replace(half, members=tuple(replace(one, crowding=0.0) for one in half.members)),
        "order": replace(half, members=half.members[::-1]),
    }[part]
    assert generations(forgetful, 3).members != generations(half, 3).members


def test_the_search_leaves_the_global_generator_alone_and_ignores_it() -> None:
    np.random.seed(1)
    before = np.random.get_state()[1].tolist()
    first = generations(State.start(0), 3)
    assert np.random.get_state()[1].tolist() == before
    np.random.seed(2)
    assert generations(State.start(0), 3) == first
    assert generations(State.start(1), 3) != first


def test_the_first_generation_holds_uniform_settings_and_both_ends() -> None:
    asked = Search(SPACE, POPULATION, State.start(3)).ask()
    assert asked[0] == SPACE.uniform(0)
    assert SPACE.uniform(8) in asked
    assert len(set(asked)) == POPULATION
    uniform = [one for one in asked if len(set(one)) == 1]
    assert len(uniform) >= POPULATION // 2


def test_it_comes_near_the_true_front_and_nearer_than_chance() -> None:
    limits = Limits(generations=20, evaluations=400)
    every = bent(list(SPACE.every()))
    corner = Trade(1.0, min(one.accuracy for one in every))
    true = hypervolume(every, corner)
    reached, stopped = run_generations(SPACE, 20, limits, Reached.start(0), bent, lambda now: None)
    assert stopped is Stopped.GENERATIONS
    assert len(reached.measured) <= limits.evaluations
    found = hypervolume(list(reached.measured.values()), corner) / true
    drawn = np.random.default_rng(0).choice(len(every), len(reached.measured), replace=False)
    by_chance = hypervolume([every[index] for index in drawn], corner) / true
    assert by_chance < 0.92
    assert 0.94 < found <= 1


def test_no_generation_goes_beyond_the_allowed_settings() -> None:
    asked_of_model: list[Genes] = []

    def measure(asked: Sequence[Genes]) -> list[Trade]:
        asked_of_model.extend(asked)
        return bent(asked)

    limits = Limits(generations=50, evaluations=40)
    reached, stopped = run_generations(SPACE, POPULATION, limits, Reached.start(0), measure, lambda now: None)
    assert stopped is Stopped.EVALUATIONS
    assert len(asked_of_model) == len(set(asked_of_model)) == len(reached.measured) <= 40
    assert reached.state.generation < 50


def test_more_generations_later_are_more_generations_at_once() -> None:
    def run(limits: Limits, reached: Reached) -> Reached:
        return run_generations(SPACE, POPULATION, limits, reached, bent, lambda now: None)[0]

    whole = run(Limits(generations=5), Reached.start(0))
    parts = run(Limits(generations=5), run(Limits(generations=2), Reached.start(0)))
    assert parts == whole
    assert list(parts.measured) == list(whole.measured)


def test_a_space_smaller_than_the_population_is_searched_whole() -> None:
    space = Space((1,))
    measured: list[Genes] = []

    def measure(asked: Sequence[Genes]) -> list[Trade]:
        measured.extend(asked)
        return [Trade(1 - one[0] / 20, 1 - one[0] / 10) for one in asked]

    reached, stopped = run_generations(space, POPULATION, Limits(), Reached.start(0), measure, lambda now: None)
    assert stopped is Stopped.EXHAUSTED
    assert sorted(measured) == [(level,) for level in range(9)]
    assert len(front_of(list(reached.measured.values()))) == 9
