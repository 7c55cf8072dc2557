"""Ratios are exact integers in thousandths, so that no run depends on a floating-point floor (design 2)."""

from __future__ import annotations

import math

from mixarray.errors import InputError

ALL_LOW = 1000
LARGEST_COMPRESSION = 800


def parse_ratio(value: float, where: str = "ratio") -> int:
    """Turn a compression ratio (share of windows in the low branch) into thousandths.

    Allowed: 0 to 0.8 in steps of 0.001, and 1 (every window low). Raises InputError otherwise.
    """
    if not math.isfinite(value):
        raise InputError(where, f"{value} is not a number; allowed: 0 to 0.8 in steps of 0.001, or 1")
    thousandths = round(value * 1000)
    if abs(value * 1000 - thousandths) > 1e-6:
        raise InputError(where, f"{value} is finer than 0.001; allowed: 0 to 0.8 in steps of 0.001, or 1")
    check_compression(thousandths, where)
    return thousandths


def check_compression(thousandths: int, where: str = "ratio") -> None:
    """Raise InputError unless the compression ratio, in thousandths, is 0..800 or 1000."""
    if not (0 <= thousandths <= LARGEST_COMPRESSION or thousandths == ALL_LOW):
        raise InputError(where, f"{thousandths / 1000:g} is out of range; allowed: 0 to 0.8, or 1 (all windows low)")


def group_sizes(windows: int, compression: int, pruning: int = 0) -> tuple[int, int, int]:
    """Split `windows` into (high, low, pruned) for ratios in thousandths; raises InputError if they do not add up."""
    check_compression(compression, "compression ratio")
    if pruning < 0 or pruning + compression > 1000:
        raise InputError("pruning ratio", f"{pruning / 1000:g} is out of range; pruning + compression is at most 1")
    kept = windows * (1000 - pruning) // 1000
    high = windows * (1000 - pruning - compression) // 1000
    return high, kept - high, windows - kept
