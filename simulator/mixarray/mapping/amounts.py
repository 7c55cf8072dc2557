"""Dividing a total into integer shares: exact in sum, equal where weights are equal (so that iterations repeat)."""

from __future__ import annotations

from collections.abc import Sequence


def divide(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Share `total` by `weights`, rounded down; the last share that has a weight takes the remainder."""
    whole = sum(weights)
    if not whole:
        return (0,) * len(weights)
    shares = [total * weight // whole for weight in weights]
    last = max(index for index, weight in enumerate(weights) if weight)
    shares[last] += total - sum(shares)
    return tuple(shares)


def ceil_div(numerator: int, denominator: int) -> int:
    """The quotient rounded up."""
    return -(-numerator // denominator)
