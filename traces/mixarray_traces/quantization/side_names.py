"""What the two thin products of a side path (`low_rank.py`) are called. No torch."""

from __future__ import annotations

_A, _B = ".low_rank.a", ".low_rank.b"


def side_a(operator: str) -> str:
    """The product with A: rows (inputs) to r numbers."""
    return operator + _A


def side_b(operator: str) -> str:
    """The product with B: r numbers to the operator's outputs."""
    return operator + _B


def between(operator: str) -> str:
    """The activation tensor that B streams."""
    return f"{side_b(operator)}.input"


def input_of(operator: str) -> str:
    """The activation tensor that a linear operator streams: A streams that of the operator which it stands beside."""
    return f"{operator.removesuffix(_A)}.input"


def is_side(operator: str) -> bool:
    """Whether an operator belongs to a side path: one of its products, or what lies between."""
    return _A in operator or _B in operator
