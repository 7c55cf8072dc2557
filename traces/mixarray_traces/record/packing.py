"""Codes packed to their bits: two 4-bit codes per byte, the first in the low nibble. No torch."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def pack_codes(codes: NDArray[np.int8], bits: int) -> NDArray[np.uint8]:
    """Pack signed codes of `bits` (1 to 8) bits, in C order, into ceil(size * bits / 8) bytes; spare bits are 0.

    Raises ValueError for a code outside the range of `bits` bits.
    """
    flat = np.ascontiguousarray(codes, dtype=np.int8).reshape(-1)
    limit = 1 << (bits - 1)
    if flat.size and not (-limit <= int(flat.min()) and int(flat.max()) < limit):
        raise ValueError(f"a code is outside {bits} bits")
    single = np.unpackbits(flat.view(np.uint8).reshape(-1, 1), axis=1, count=bits, bitorder="little")
    return np.packbits(single.reshape(-1), bitorder="little")


def unpack_codes(packed: NDArray[np.uint8], bits: int, shape: tuple[int, ...]) -> NDArray[np.int8]:
    """Undo `pack_codes`. Raises ValueError if the number of bytes does not fit `shape`."""
    size = math.prod(shape)
    if packed.size != -(-size * bits // 8):
        raise ValueError(f"{packed.size} bytes do not hold {size} codes of {bits} bits")
    single = np.unpackbits(packed, count=size * bits, bitorder="little").reshape(size, bits)
    values = np.packbits(np.repeat(single[:, -1:], 8, axis=1), axis=1, bitorder="little").reshape(-1)
    low = np.packbits(single, axis=1, bitorder="little").reshape(-1)
    mask = np.uint8((1 << bits) - 1)
    return ((values & ~mask) | low).astype(np.uint8).view(np.int8).reshape(shape)
