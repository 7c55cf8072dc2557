"""Several values in one cell: their mean, and between what they lie."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean


def mean_and_range(values: Sequence[float], form: str) -> str:
    """`mean (least to most)`, each number in the format `form`; `n/a` for no values."""
    if not values:
        return "n/a"
    mean, least, most = (format(one, form) for one in (fmean(values), min(values), max(values)))
    return f"{mean} ({least} to {most})"
