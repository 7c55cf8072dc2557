"""Ratios are exact integers in thousandths, so that no run depends on a floating-point floor (design 2)."""

from __future__ import annotations

import math
from enum import StrEnum

from mixarray.errors import InputError

ALL_LOW = 1000
LARGEST_COMPRESSION = 800
WHOLE = 1000


class Promotion(StrEnum):
    """Whether a window that ran low or was pruned may run better in a later block of its stage.

    REFUSED: never, on either grid: nested sets (MixA-Q, and SparseViT's code). RATIOS: the ratios of a stage may fall,
    the ranking stays that of the stage's entry. RANKING: the same, and every block ranks its windows anew from its own
    input. The published ablation allowed promotion without saying which of the two it did: both are guesses.
    """

    REFUSED = "refused"
    RATIOS = "ratios"
    RANKING = "ranking"


def parse_ratio(value: float, where: str = "ratio") -> int:
    """Turn a compression ratio (share of windows in the low branch) into thousandths.

    Allowed: 0 to 0.8 in steps of 0.001, and 1 (every window low). Raises InputError otherwise.
    """
    thousandths = _thousandths(value, where, "0 to 0.8 in steps of 0.001, or 1")
    check_compression(thousandths, where)
    return thousandths


def parse_pruning(value: float, where: str = "pruning ratio") -> int:
    """Turn a pruning ratio (share of windows skipped) into thousandths; InputError unless 0 to 1, steps of 0.001."""
    thousandths = _thousandths(value, where, "0 to 1 in steps of 0.001")
    check_pruning(thousandths, 0, where)
    return thousandths


def _thousandths(value: float, where: str, allowed: str) -> int:
    if not math.isfinite(value):
        raise InputError(where, f"{value} is not a number; allowed: {allowed}")
    thousandths = round(value * 1000)
    if abs(value * 1000 - thousandths) > 1e-6:
        raise InputError(where, f"{value} is finer than 0.001; allowed: {allowed}")
    return thousandths


def check_compression(thousandths: int, where: str = "ratio") -> None:
    """Raise InputError unless the compression ratio, in thousandths, is 0..800 or 1000."""
    if not (0 <= thousandths <= LARGEST_COMPRESSION or thousandths == ALL_LOW):
        raise InputError(where, f"{thousandths / 1000:g} is out of range; allowed: 0 to 0.8, or 1 (all windows low)")


def check_pruning(pruning: int, compression: int, where: str = "pruning ratio") -> None:
    """Raise InputError unless the pruning ratio, in thousandths, is at least 0 and both ratios are at most 1000."""
    if pruning < 0 or pruning + compression > WHOLE:
        beside = f" beside a compression ratio of {compression / 1000:g}" if compression else ""
        message = f"{pruning / 1000:g} is out of range{beside}; pruning + compression is at most 1"
        raise InputError(where, message)


def group_sizes(windows: int, compression: int, pruning: int = 0) -> tuple[int, int, int]:
    """Split `windows` into (high, low, pruned) for ratios in thousandths; raises InputError if they do not add up."""
    check_compression(compression, "compression ratio")
    check_pruning(pruning, compression)
    kept = windows * (1000 - pruning) // 1000
    high = windows * (1000 - pruning - compression) // 1000
    return high, kept - high, windows - kept
