"""The draws of a sample, by number: for every axis the number of one of its values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mixarray_analysis.sweeps.spec import Method, Sample

TOGETHER = 1024
"""Draws made at once: each such block has a random stream of its own, so any draw is found without those before."""


class Draws:
    """Draws of `sample` over axes of `sizes` values each; `rising` lists axes whose draws are put in rising order."""

    def __init__(self, sample: Sample, sizes: Sequence[int], rising: Sequence[Sequence[int]]) -> None:
        self._sample = sample
        self._sizes = np.array(sizes)
        self._rising = [list(axes) for axes in rising]
        self._block = -1
        self._rows: list[list[int]] = []

    def __getitem__(self, draw: int) -> list[int]:
        block, row = divmod(draw, TOGETHER)
        if block != self._block:
            self._rows, self._block = self._drawn(block), block
        return self._rows[row]

    def _drawn(self, block: int) -> list[list[int]]:
        sample, first = self._sample, block * TOGETHER
        place = np.random.default_rng([sample.seed, block]).random((TOGETHER, len(self._sizes)))
        if sample.method is Method.LATIN_HYPERCUBE:
            strata = self._strata[first : first + TOGETHER]
            place = (strata + place[: len(strata)]) / sample.points
        digits = np.minimum((place * self._sizes).astype(np.int64), self._sizes - 1)
        for axes in self._rising:
            digits[:, axes] = np.sort(digits[:, axes], axis=1)
        found: list[list[int]] = digits.tolist()
        return found

    @cached_property
    def _strata(self) -> NDArray[np.uint32]:
        """Latin hypercube: for every axis an order of its equal parts; 4 bytes per draw and axis."""
        random = np.random.default_rng([self._sample.seed])
        orders = [random.permutation(self._sample.points).astype(np.uint32) for _ in self._sizes]
        return np.stack(orders, axis=1)
