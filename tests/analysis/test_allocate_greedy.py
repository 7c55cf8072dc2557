"""The greedy over invented losses and costs: against its definition in plain loops, with planted faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray_analysis.allocating import greedy
from mixarray_analysis.allocating.costs import Average, Counted
from mixarray_analysis.allocating.greedy import Problem, Reached, Rescore, take_step
from mixarray_analysis.allocating.moves import Bits, Change, Move, Rules, Width, moves

BrutePath = Callable[..., list[Bits]]
START: Bits = (8, 8, 8, 8)
JOINT = (4,)


def tabled(seed: int) -> dict[Bits, int]:
    """A whole number for every allocation of two layers, at random: nothing additive about it."""
    return {bits: hash((seed, bits)) % 97 for bits in product(range(3, 9), repeat=4)}


def staircase(bits: Bits) -> int:
    """A machine of 4 and 8 bits: both operands of a layer must fit the narrow mode; every bit is a little traffic."""
    modes = ((a <= 4) + 2 * (w <= 4 and a <= 4) + (w <= 4) for a, w in zip(bits[::2], bits[1::2], strict=True))
    return 1000 + sum(bits) - 100 * sum(modes)


def path(problem: Problem, most: int = 100) -> list[Bits]:
    reached, found = Reached(problem.start), []
    while len(found) < most and (after := take_step(problem, reached)) is not None:
        reached = after
        found.append(reached.bits)
    return found


def problem_of(losses: dict[Bits, int], width: Width, rescore: Rescore = Rescore.EVERY) -> Problem:
    rules = Rules(3, width, JOINT)
    return Problem(START, rules, lambda bits: losses[bits] / 7, staircase, rescore)


@pytest.mark.parametrize("width", Width)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=5)
def test_every_step_is_the_definitions(brute_path: BrutePath, width: Width, seed: int) -> None:
    losses = tabled(seed)
    found = path(problem_of(losses, width))
    steepest = width is Width.STEEPEST
    wanted = brute_path(START, 3, steepest, JOINT, lambda bits: losses[bits] / 7, staircase, most=100)
    assert found == wanted
    assert found[-1] == min(found)  # down to where nothing saves


@given(costs=st.lists(st.integers(1, 50), min_size=4, max_size=4), falls=st.lists(st.integers(0, 9), min_size=4))
@settings(max_examples=8)
def test_where_losses_add_up_all_ways_of_measuring_agree(costs: list[int], falls: list[int]) -> None:
    def loss(bits: Bits) -> float:
        return float(sum(fall * (8 - width) ** 2 for fall, width in zip(falls, bits, strict=False)))

    def cost(bits: Bits) -> int:
        return sum(weight * width for weight, width in zip(costs, bits, strict=True))

    problems = [Problem(START, Rules(4, Width.NEXT), loss, cost, rescore) for rescore in Rescore]
    every, lazy, once = (path(problem) for problem in problems)
    assert every == lazy == once
    assert len(every) == 16  # one bit a step, from 8 to 4


@given(seed=st.integers(0, 10**6))
@settings(max_examples=6)
def test_lazy_takes_what_it_has_just_measured(seed: int) -> None:
    losses = tabled(seed)
    problem, reached = problem_of(losses, Width.STEEPEST, Rescore.LAZY), Reached(START)
    while (after := take_step(problem, reached)) is not None:
        step = after.taken[-1]
        assert step.score == (losses[after.bits] / 7 - losses[reached.bits] / 7) / step.move.saved
        assert all(step.score <= after.known[move.changes] / move.saved for move in of(problem, reached.bits))
        reached = after


def of(problem: Problem, bits: Bits) -> list[Move]:
    return moves(bits, problem.rules, problem.cost)


def test_once_measures_from_the_start_alone() -> None:
    def loss(bits: Bits) -> float:
        return 5.0 * (bits[0] < 8) * (bits[2] < 8) + 0.1 * (8 - bits[0]) + 0.2 * (8 - bits[2])

    def cost(bits: Bits) -> int:
        return bits[0] + bits[2]

    problem = Problem(START, Rules(3, Width.NEXT), loss, cost, Rescore.ONCE)
    at = Reached((3, 8, 8, 8))
    after = take_step(problem, at)
    assert after is not None
    assert after.taken[0].score == pytest.approx(0.2)  # from the start; 5.2 from where it stands
    again = take_step(replace(problem, rescore=Rescore.EVERY), at)
    assert again is not None
    assert again.taken[0].score == pytest.approx(5.2)


def test_a_machines_moves() -> None:
    found = {
        tuple((one.decision, one.after) for one in move.changes): move.saved
        for move in moves((8, 8), Rules(3, Width.STEEPEST, JOINT), staircase)
    }
    assert found == {((0, 4),): 104, ((1, 4),): 104, ((0, 4), (1, 4)): 408}
    near = moves((8, 8), Rules(3, Width.NEXT, JOINT), staircase)
    assert [(move.changes[0].after, move.saved) for move in near] == [(7, 1), (7, 1), (4, 408)]
    assert not moves((3, 3), Rules(3, Width.NEXT, JOINT), staircase)


def test_no_joint_move_where_the_halves_add_up() -> None:
    def bops(bits: Bits) -> int:
        return bits[0] * bits[1]

    assert all(len(move.changes) == 1 for move in moves((8, 8), Rules(3, Width.NEXT, JOINT), bops))


def test_the_first_of_equals_moves() -> None:
    found = path(Problem(START, Rules(7, Width.NEXT), lambda bits: 0.0, sum, Rescore.EVERY))
    assert found == [(7, 8, 8, 8), (7, 7, 8, 8), (7, 7, 7, 8), (7, 7, 7, 7)]


def _last_of_equals(possible: list[Move], increases: greedy.Increases) -> Move:
    return min(reversed(possible), key=lambda move: increases[move.changes] / move.saved)


def test_planted_faults_are_seen(brute_path: BrutePath, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = {bits: value % 5 for bits, value in tabled(3).items()}  # many ties
    honest = problem_of(losses, Width.STEEPEST)
    wanted = brute_path(START, 3, True, JOINT, lambda bits: losses[bits] / 7, staircase, most=100)
    assert path(honest) == wanted

    stale: dict[Bits, float] = {}

    def remembered(bits: Bits) -> float:
        return stale.setdefault((*bits[:3], 8), losses[bits] / 7)

    assert path(replace(honest, loss=remembered)) != wanted, "a cache that forgets a decision"
    assert path(replace(honest, cost=sum)) != wanted, "a saving that knows no modes"
    assert path(replace(honest, rules=replace(honest.rules, joint_widths=()))) != wanted, "no joint moves"
    monkeypatch.setattr(greedy, "_lowest", _last_of_equals)
    assert path(honest) != wanted, "the last of equals"


@given(seed=st.integers(0, 10**6), stop=st.integers(0, 6), rescore=st.sampled_from(list(Rescore)))
@settings(max_examples=6)
def test_going_on_from_any_step_is_going_straight(seed: int, stop: int, rescore: Rescore) -> None:
    problem = problem_of(tabled(seed), Width.STEEPEST, rescore)
    reached, states = Reached(START), []
    while (after := take_step(problem, reached)) is not None:
        states.append(after)
        reached = after
    again = states[min(stop, len(states) - 1)]
    while (after := take_step(problem, again)) is not None:
        again = after
    assert again == reached


def test_a_forgotten_score_changes_where_lazy_goes_on() -> None:
    for seed in range(40):
        problem, reached = problem_of(tabled(seed), Width.STEEPEST, Rescore.LAZY), Reached(START)
        straight = path(problem)
        for number in range(3):
            after = take_step(problem, replace(reached, known={}))
            assert after is not None
            reached = after
            if reached.bits != straight[number]:
                return
    pytest.fail("what is known of moves decides nothing")


def test_averages() -> None:
    counted = Counted((10, 20), (1, 3, 5, 7), Average.LAYERS)
    assert counted.average_bits((8, 6, 4, 4)) == 5.5
    assert counted.within((8, 6, 4, 4), 5500)
    assert not counted.within((8, 6, 4, 4), 5499)
    assert replace(counted, average=Average.ELEMENTS).average_bits((8, 6, 4, 4)) == (8 + 18 + 20 + 28) / 16
    assert counted.bops((8, 6, 4, 3)) == 10 * 48 + 20 * 12


def test_changes_of_a_move() -> None:
    move = Move((Change(1, 8, 4), Change(2, 6, 3)), 9)
    assert move.of((8, 8, 6)) == (8, 4, 3)
    assert move.given_up == 7
