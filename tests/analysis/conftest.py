"""The greedy's definition once more, for `test_allocate*`: plain loops over everything, no cache, no shared code."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

Bits = tuple[int, ...]
Lowered = dict[int, int]
"""Decision -> its width after a move."""


def after(bits: Bits, lowered: Lowered) -> Bits:
    return tuple(lowered.get(place, width) for place, width in enumerate(bits))


def _brute_moves(
    bits: Bits, lowest: int, steepest: bool, joint: tuple[int, ...], cost: Callable[[Bits], int]
) -> list[tuple[Lowered, int]]:
    """Every move and what it saves, in order."""

    def saved(lowered: Lowered) -> int:
        return cost(bits) - cost(after(bits, lowered))

    def given_up(lowered: Lowered) -> int:
        return sum(bits[place] - width for place, width in lowered.items())

    def better(one: Lowered, than: Lowered) -> bool:
        if steepest:
            return saved(one) * given_up(than) > saved(than) * given_up(one)
        return given_up(one) < given_up(than)

    found: list[tuple[Lowered, int]] = []
    for layer in range(len(bits) // 2):
        left, right = 2 * layer, 2 * layer + 1
        singles = [[{place: width} for width in range(bits[place] - 1, lowest - 1, -1)] for place in (left, right)]
        pairs: list[Lowered] = []
        for first in sorted(joint, reverse=True):
            for second in sorted(joint, reverse=True):
                inside = lowest <= first < bits[left] and lowest <= second < bits[right]
                alone = max(saved({left: first}), 0) + max(saved({right: second}), 0) if inside else 0
                if inside and saved({left: first, right: second}) > alone:
                    pairs.append({left: first, right: second})
        for options in (*singles, pairs):
            best: Lowered | None = None
            for option in options:
                if saved(option) > 0 and (best is None or better(option, best)):
                    best = option
            if best is not None:
                found.append((best, saved(best)))
    return found


def _brute_path(
    start: Bits,
    lowest: int,
    steepest: bool,
    joint: tuple[int, ...],
    loss: Callable[[Bits], float],
    cost: Callable[[Bits], int],
    most: int,
) -> list[Bits]:
    """Where the greedy stands after each of at most `most` steps, every move measured anew each time."""
    path, bits = [], start
    while len(path) < most:
        best: Bits | None = None
        best_score = 0.0
        for lowered, saved in _brute_moves(bits, lowest, steepest, joint, cost):
            score = (loss(after(bits, lowered)) - loss(bits)) / saved
            if best is None or score < best_score:
                best, best_score = after(bits, lowered), score
        if best is None:
            return path
        bits = best
        path.append(bits)
    return path


@pytest.fixture(scope="session")
def brute_path() -> Callable[..., Sequence[Bits]]:
    """`_brute_path`: start, lowest, steepest, joint widths, loss, cost, most steps -> the path."""
    return _brute_path
