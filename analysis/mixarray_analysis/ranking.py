"""Which of two energies is the smaller one, and what becomes of that under an assumption."""

from __future__ import annotations

from enum import StrEnum

TOLERANCE = 1e-3
"""Energies that differ by at most this share of the larger one are equal."""


class Order(StrEnum):
    """Which of two runs spends less energy."""

    FIRST = "first"
    SECOND = "second"
    EQUAL = "equal"


class Verdict(StrEnum):
    """What an assumption does to the order that two runs have without it.

    EQUAL: the two are equal, whether or not they are without it. PARTS: they are equal without it, and not with it.
    """

    HOLDS = "holds"
    FLIPS = "flips"
    EQUAL = "equal"
    PARTS = "parts"


def order_of(first: float, second: float) -> Order:
    """The order of two energies (not negative, in any one unit)."""
    if abs(first - second) <= TOLERANCE * max(first, second):
        return Order.EQUAL
    return Order.FIRST if first < second else Order.SECOND


def verdict_of(without: Order, under: Order) -> Verdict:
    """What became of the order `without` an assumption, if it is `under` with it."""
    if under is Order.EQUAL:
        return Verdict.EQUAL
    if without is Order.EQUAL:
        return Verdict.PARTS
    return Verdict.HOLDS if under is without else Verdict.FLIPS


def hold_margin(less: float, more: float) -> float:
    """Positive if and only if `less` is the smaller one by more than the tolerance; linear in both."""
    return (1 - TOLERANCE) * more - less


def flip_margin(less: float, more: float) -> float:
    """Negative if and only if `more` is the smaller one by more than the tolerance; linear in both."""
    return more - (1 - TOLERANCE) * less
