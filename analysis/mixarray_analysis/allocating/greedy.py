"""Greedy allocation of bits, as its definition says (inspired by the greedy of MPTQ-ViT, arXiv 2401.14895).

Known (methods reference 5a): bits of weights and activations, layer by layer, by a metric that mixes accuracy and
compressibility. A guess: all decisions start at the top width; the score of a move is the increase of the loss over
what it saves; the lowest score moves, the first of equals in the order of `moves`; until the goal is reached or nothing
is left to lower. Ours: what is saved may be cycles or energy of a machine, and the moves that this asks for (`moves`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mixarray_analysis.allocating.moves import Bits, Change, Cost, Move, Rules, changed, moves

Loss = Callable[[Bits], float]


class Rescore(StrEnum):
    """When the loss increase of a move is measured.

    EVERY: at each step, from where the greedy stands: the definition. LAZY: the best of the known scores is measured
    anew and taken if it still is the best. ONCE: from the start alone, all other decisions at the top width.
    """

    EVERY = "every"
    LAZY = "lazy"
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is allocated: where all begins, what moves there are, and what they are judged by."""

    start: Bits
    rules: Rules
    loss: Loss
    cost: Cost
    rescore: Rescore


@dataclass(frozen=True, slots=True)
class Taken:
    """One step: what moved, the score it won with, and the loss behind it."""

    move: Move
    score: float
    loss: float


Increases = Mapping[tuple[Change, ...], float]
"""Loss increases of moves as they were last measured."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a greedy has come: its steps, where they led, and what it knows of moves (LAZY)."""

    bits: Bits
    taken: tuple[Taken, ...] = ()
    known: Increases = field(default_factory=dict)


def take_step(problem: Problem, reached: Reached) -> Reached | None:
    """One step further; None where no move is left."""
    possible = moves(reached.bits, problem.rules, problem.cost)
    if not possible:
        return None
    if problem.rescore is Rescore.LAZY:
        increases, best = _lazily(problem, reached, possible)
    else:
        measured = (_increase(problem, reached.bits, move) for move in possible)
        increases = {move.changes: value for move, value in zip(possible, measured, strict=True)}
        best = _lowest(possible, increases)
    bits = best.of(reached.bits)
    step = Taken(best, _score(best, increases), problem.loss(bits))
    known = increases if problem.rescore is Rescore.LAZY else {}
    return Reached(bits, (*reached.taken, step), known)


def _lazily(problem: Problem, reached: Reached, possible: list[Move]) -> tuple[Increases, Move]:
    """What is known of the possible moves in the end, and the best, which was measured from where the greedy stands."""
    known = {move.changes: reached.known[move.changes] for move in possible if move.changes in reached.known}
    fresh: set[tuple[Change, ...]] = set()
    for move in possible:
        if move.changes not in known:
            known[move.changes] = _increase(problem, reached.bits, move)
            fresh.add(move.changes)
    best = _lowest(possible, known)
    while best.changes not in fresh:
        known[best.changes] = _increase(problem, reached.bits, best)
        fresh.add(best.changes)
        best = _lowest(possible, known)
    return known, best


def _increase(problem: Problem, bits: Bits, move: Move) -> float:
    """The loss that a move adds, from where the greedy stands; for ONCE with all other decisions at the start."""
    if problem.rescore is not Rescore.ONCE:
        return problem.loss(move.of(bits)) - problem.loss(bits)
    before = changed(problem.start, tuple(Change(one.decision, one.before, one.before) for one in move.changes))
    return problem.loss(changed(problem.start, move.changes)) - problem.loss(before)


def _score(move: Move, increases: Increases) -> float:
    return increases[move.changes] / move.saved


def _lowest(possible: list[Move], increases: Increases) -> Move:
    return min(possible, key=lambda move: _score(move, increases))
