"""What random cases of both arrays draw: codes, port widths, one of several."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Option = TypeVar("Option")
Codes = NDArray[np.int8]


class Values(Enum):
    """Which codes a GEMM multiplies."""

    ALL = auto()
    EXTREME = auto()
    LOWEST = auto()


def one_of(draw: np.random.Generator, options: Sequence[Option]) -> Option:
    """One of the options, each as likely."""
    return options[int(draw.integers(len(options)))]


def draw_codes(draw: np.random.Generator, values: Values, bits: int, size: tuple[int, int]) -> Codes:
    """Signed codes of that many bits."""
    lowest, highest = -(1 << bits - 1), (1 << bits - 1) - 1
    match values:
        case Values.ALL:
            return draw.integers(lowest, highest, size, np.int8, endpoint=True)
        case Values.EXTREME:
            return draw.choice(np.array([lowest, highest], np.int8), size)
        case Values.LOWEST:
            return np.full(size, lowest, np.int8)


def draw_port_bits(draw: np.random.Generator, row_bits: int, cycles: int) -> int:
    """Any port width at which a row of that many bits takes that many cycles."""
    narrowest = -(-row_bits // cycles)
    widest = 2 * row_bits if cycles == 1 else -(-row_bits // (cycles - 1)) - 1
    return int(draw.integers(narrowest, widest + 1))


def draw_gaps(draw: np.random.Generator, items: int, often: float) -> tuple[int, ...]:
    """Cycles that each of the items is withheld: none, except for that share of them."""
    return tuple((draw.geometric(0.3, items) * (draw.random(items) < often)).tolist())
