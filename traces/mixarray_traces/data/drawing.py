"""Which of the user's photographs are used, where not all are."""

from __future__ import annotations

import numpy as np

from mixarray.errors import InputError


def draw_numbers(total: int, count: int, seed: int, where: str) -> tuple[int, ...]:
    """`count` different numbers below `total`, drawn by the seed, rising; InputError where there are fewer."""
    if not 1 <= count <= total:
        raise InputError(where, f"holds {total} photographs; {count} are asked for", "--n")
    order = np.random.default_rng(np.random.SeedSequence((seed, total))).permutation(total)
    return tuple(sorted(order[:count].tolist()))
