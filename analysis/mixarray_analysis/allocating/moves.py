"""What a greedy step may do: which decision falls to which width, and what that saves.

A decision is the width of one operand of a GEMM. Decisions 2i and 2i + 1 are the two operands of layer i: activations
and weights of a linear operator, left and right of an attention product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

Bits = tuple[int, ...]
"""The width of every decision, in order."""
Cost = Callable[[Bits], int]
"""What is to fall, in whole units."""


class Width(StrEnum):
    """Which of the widths below a decision falls to, among those at which the cost falls.

    NEXT: the widest. STEEPEST: where it falls most per bit given up, the widest of equals. They are the same where
    every bit is worth as much (bits, BOPs). On a machine every bit saves a little traffic and only a narrower mode
    saves cycles of the array: NEXT sees the little and stops before it.
    """

    NEXT = "next"
    STEEPEST = "steepest"


@dataclass(frozen=True, slots=True)
class Change:
    """One decision's width before and after."""

    decision: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Move:
    """One decision lowered, or both of a layer together, and how far the cost falls."""

    changes: tuple[Change, ...]
    saved: int

    def of(self, bits: Bits) -> Bits:
        """The widths after the move."""
        return changed(bits, self.changes)

    @property
    def given_up(self) -> int:
        """Bits that its decisions lose, all together."""
        return sum(change.before - change.after for change in self.changes)


@dataclass(frozen=True, slots=True)
class Rules:
    """What moves there are. lowest: the smallest width. joint_widths: those that two operands may fall to together."""

    lowest: int
    width: Width
    joint_widths: tuple[int, ...] = ()


def changed(bits: Bits, changes: tuple[Change, ...]) -> Bits:
    """The widths with these decisions at their widths after."""
    after = {change.decision: change.after for change in changes}
    return tuple(after.get(decision, width) for decision, width in enumerate(bits))


def moves(bits: Bits, rules: Rules, cost: Cost) -> list[Move]:
    """Every move from `bits`, layer by layer: its first operand, its second, both together.

    Both together are a move where they save more than each alone adds up to: a machine without a mode for 8 by 4 bits
    gives nothing for either half. Moves that save nothing are none.
    """
    now = cost(bits)

    def saved(*changes: Change) -> int:
        return now - cost(changed(bits, changes))

    found: list[Move] = []
    for first in range(0, len(bits), 2):
        pair = first, first + 1
        for decision in pair:
            below = range(bits[decision] - 1, rules.lowest - 1, -1)
            options = [Change(decision, bits[decision], after) for after in below]
            found += _chosen((Move((one,), saved(one)) for one in options), rules.width)
        found += _chosen(_together(bits, pair, rules, saved), rules.width)
    return found


def _together(bits: Bits, pair: tuple[int, int], rules: Rules, saved: Callable[..., int]) -> Iterator[Move]:
    """Both operands of a layer lowered, where that is worth more than its halves."""
    for after in product(sorted(rules.joint_widths, reverse=True), repeat=2):
        changes = tuple(Change(one, bits[one], width) for one, width in zip(pair, after, strict=True))
        if all(rules.lowest <= change.after < change.before for change in changes):
            together = saved(*changes)
            if together > sum(max(saved(change), 0) for change in changes):
                yield Move(changes, together)


def _chosen(options: Iterator[Move], width: Width) -> list[Move]:
    """The one of several widths that a move takes; none where none saves anything. Earlier options win ties."""
    saving = [move for move in options if move.saved > 0]
    if not saving:
        return []
    if width is Width.NEXT:
        return [min(saving, key=lambda move: move.given_up)]
    best = saving[0]
    for move in saving[1:]:
        if move.saved * best.given_up > best.saved * move.given_up:
            best = move
    return [best]
