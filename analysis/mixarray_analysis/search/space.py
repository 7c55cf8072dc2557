"""The settings that a search chooses from: a ratio in tenths for every block pair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from mixarray_traces.quantization.ratios import Pairs, Ratios

Genes = tuple[int, ...]
"""Tenths: the compression ratio of every block pair, then, where pruning is searched, the pruning ratio of each."""
LARGEST = 8
WHOLE = 10
THOUSANDTHS = 100
"""In a tenth."""


@dataclass(frozen=True, slots=True)
class Space:
    """Compression ratios 0, 0.1, ..., 0.8 of `pairs` block pairs per stage; with `pruning`, such pruning ratios too.

    The grid of tenths is MixA-Q's. Windows are not promoted within a stage: there the pruning ratio and the sum of both
    ratios do not fall.
    """

    pairs: tuple[int, ...]
    pruning: bool = False

    @classmethod
    def of_depths(cls, depths: tuple[int, ...], pruning: bool = False) -> Space:
        """The space of a network with `depths` blocks per stage."""
        return cls(tuple((depth + 1) // 2 for depth in depths), pruning)

    @property
    def genes(self) -> int:
        """How many numbers make a setting."""
        return sum(self.pairs) * (2 if self.pruning else 1)

    @property
    def size(self) -> int:
        """Number of settings."""
        return prod(len(_stage_settings(pairs, self.pruning)) for pairs in self.pairs)

    def repair(self, drawn: NDArray[np.int64]) -> NDArray[np.int64]:
        """The nearest meaning of numbers drawn freely, (settings, genes), in rows of the same order.

        The compression ratio gives way where both are more than 1 together. Then a stage's pruning ratios are sorted,
        and so are its sums of both ratios; the compression ratios are the differences. Without pruning that is plain
        sorting, as SparseViT does. (Sorted sums minus sorted pruning ratios stay within 0 and 0.8: the sum of a pair
        is at least its pruning ratio and at most 0.8 more, and sorting both keeps that.)
        """
        drawn = np.clip(drawn, 0, LARGEST)
        low, pruned = self._parts(drawn)
        total = pruned + np.minimum(low, WHOLE - pruned)
        pruned, total = self._sorted(pruned), self._sorted(total)
        return np.concatenate([total - pruned, pruned], axis=1) if self.pruning else total

    def _parts(self, drawn: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        low = drawn[:, : sum(self.pairs)]
        return low, drawn[:, sum(self.pairs) :] if self.pruning else np.zeros_like(low)

    def _sorted(self, ratios: NDArray[np.int64]) -> NDArray[np.int64]:
        ends = np.cumsum(self.pairs)[:-1]
        return np.concatenate([np.sort(stage, axis=1) for stage in np.split(ratios, ends, axis=1)], axis=1)

    def ratios(self, genes: Genes) -> Ratios:
        """What a setting means; InputError where it is none of this space."""
        every = sum(self.pairs)
        return Ratios(self._stages(genes[:every]), self._stages(genes[every:]) if self.pruning else ())

    def _stages(self, tenths: Genes) -> Pairs:
        starts = np.cumsum((0, *self.pairs)).tolist()
        return tuple(tuple(THOUSANDTHS * tenth for tenth in tenths[first:last]) for first, last in pairwise(starts))

    def uniform(self, tenths: int) -> Genes:
        """The same compression ratio everywhere, nothing pruned."""
        every = sum(self.pairs)
        return (tenths,) * every + (0,) * (self.genes - every)

    def every(self) -> Iterator[Genes]:
        """All settings, each once."""
        for stages in product(*(_stage_settings(pairs, self.pruning) for pairs in self.pairs)):
            low = tuple(tenths for compression, _ in stages for tenths in compression)
            pruned = tuple(tenths for _, pruning in stages for tenths in pruning)
            yield low + pruned if self.pruning else low


def _stage_settings(pairs: int, pruning: bool) -> list[tuple[Genes, Genes]]:
    """(compression, pruning) of a stage's pairs, all that are allowed."""
    nothing = (0,) * pairs
    if not pruning:
        return [(low, nothing) for low in combinations_with_replacement(range(LARGEST + 1), pairs)]
    found = []
    for pruned in combinations_with_replacement(range(LARGEST + 1), pairs):
        for total in combinations_with_replacement(range(WHOLE + 1), pairs):
            low = tuple(both - one for both, one in zip(total, pruned, strict=True))
            if all(0 <= one <= LARGEST for one in low):
                found.append((low, pruned))
    return found
