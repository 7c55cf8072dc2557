"""Products with codes of two regions (Encoding.TWO_REGION), as a PE forms them.

The flag is the highest bit of the code, so it travels, or stays, with the code itself. A PE multiplies the magnitude,
an unsigned number of `bits` - 1 bits that every multiplier of signed `bits` takes, and then, before the sum: with the
flag it shifts the product, without it it passes it on, or negates it. A product with a slice of a split operand is
shifted alike. What tells a PE whether and how far to shift comes with the tag of the row, as the slot does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixarray.array.events import Integers


@dataclass(frozen=True, slots=True)
class Regions:
    """What codes of two regions mean: their bits, by how many places magnitudes with the flag are shifted, and whether
    those without it are negative.
    """

    bits: int
    shift: int
    negative: bool

    def __post_init__(self) -> None:
        if self.bits < 2 or not 0 <= self.shift <= self.bits:
            raise ValueError(f"{self.bits} bits and shift {self.shift}; allowed: from 2 bits, shifts 0 to the bits")

    def multiplicands(self, codes: Integers) -> Integers:
        """The numbers that codes stand for, without an array."""
        return products(codes, np.ones_like(codes), region_entries([self]), np.zeros_like(codes))


def region_entries(regions: Sequence[Regions | None]) -> Integers:
    """For each entry the mask of its magnitudes (0: a plain code), the shift, and the sign without the flag: (3, n)."""
    columns = [
        (0, 0, 1) if one is None else ((1 << (one.bits - 1)) - 1, one.shift, -1 if one.negative else 1)
        for one in regions
    ]
    return np.array(columns, np.int64).reshape(-1, 3).T


def products(codes: Integers, others: Integers, entries: Integers, tags: Integers) -> Integers:
    """Each code times its other operand; column `tags` of `entries` (`region_entries`) says what the code means."""
    mask, shift, sign = entries[:, tags]
    plain = codes * others
    if not mask.any():
        return plain
    magnitudes = (codes & mask) * others
    return np.where(mask > 0, np.where(codes < 0, magnitudes << shift, magnitudes * sign), plain)
