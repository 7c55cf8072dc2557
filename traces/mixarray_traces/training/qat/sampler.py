"""Ratios of a training step: SAQA's compression ratios, SparseViT's pruning ratios, and both together.

**SAQA** (MixA-Q; methods reference 1a). Known: the sum S of the pairs' ratios is uniform on [0, 0.8 n]; given S, the
ratios are Dirichlet(1, ..) scaled to S and rejected where one exceeds 0.8, which is the uniform law on
{r in [0, 0.8]^n, sum S}; within a stage they are sorted, rising. Independent ratios would crowd their sum at the middle
(Irwin-Hall). Ours: above half of the largest sum the complements 0.8 - r are drawn, the same law in a few tries; ratios
are rounded to thousandths.

**Sparsity-aware adaptation** (SparseViT; methods reference 2a, from the public code): the pairs of a stage one after
another, each uniform among the tenths from that of the pair before to 0.8.

**Both** (a guess: whether MixA-Q trains with pruned windows is not published). SAQA's law holds for the sum of both
ratios of a pair, and one share of it, uniform on [0, 1] and the same for all pairs, is pruned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mixarray.trace.ratio import WHOLE
from mixarray_traces.quantization.ratios import Pairs, Ratios

LARGEST = 0.8
"""Largest ratio of a pair."""
_COMPRESSION, _PRUNING, _BOTH = 0x5A0A, 0x5AA0, 0x5AAA
"""Keep these draws apart from each other and from all others of the same seed."""


RatiosOfStep = Callable[[int, int, tuple[int, ...], tuple[int, ...] | None], Ratios]
"""Ratios from a seed, the step, the depths of the stages, and their windows where counts are random."""


def draw_ratios(rng: np.random.Generator, depths: tuple[int, ...]) -> Pairs:
    """Ratios in thousandths for a network with `depths` blocks per stage, rising within each stage."""
    counts = [(depth + 1) // 2 for depth in depths]
    drawn = draw_uniform_sum(rng, sum(counts))
    stages = np.split(drawn, np.cumsum(counts)[:-1])
    return tuple(tuple(round(float(ratio) * WHOLE) for ratio in np.sort(stage)) for stage in stages)


def draw_pruning(rng: np.random.Generator, depths: tuple[int, ...]) -> Pairs:
    """SparseViT's pruning ratios, whole tenths in thousandths, for a network with `depths` blocks per stage."""
    return tuple(_rising_tenths(rng, (depth + 1) // 2) for depth in depths)


def _rising_tenths(rng: np.random.Generator, count: int) -> tuple[int, ...]:
    tenths = [0]
    for _ in range(count):
        tenths.append(int(rng.integers(tenths[-1], round(10 * LARGEST), endpoint=True)))
    return tuple(tenth * WHOLE // 10 for tenth in tenths[1:])


def draw_uniform_sum(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """`count` ratios whose sum is uniform on [0, 0.8 count]."""
    return draw_given_sum(rng, count, float(rng.uniform(0, LARGEST * count)))


def draw_given_sum(rng: np.random.Generator, count: int, total: float) -> NDArray[np.float64]:
    """`count` ratios, uniform on {r in [0, 0.8], sum `total`}."""
    if total > LARGEST * count / 2:
        return LARGEST - draw_given_sum(rng, count, LARGEST * count - total)
    while True:
        drawn = rng.dirichlet(np.ones(count)) * total
        if drawn.max() <= LARGEST:
            return drawn


def ratios_of_step(seed: int, step: int, depths: tuple[int, ...], windows: tuple[int, ...] | None) -> Ratios:
    """SAQA's ratios of one step; with the windows of each stage, such as give a random number of low windows."""
    rng = np.random.default_rng(np.random.SeedSequence((_COMPRESSION, seed, step)))
    pairs = draw_ratios(rng, depths)
    return Ratios(pairs if windows is None else with_random_counts(rng, pairs, windows))


def pruning_of_step(seed: int, step: int, depths: tuple[int, ...], windows: tuple[int, ...] | None) -> Ratios:
    """SparseViT's ratios of one step; with the windows of each stage, such as prune a random number of windows."""
    rng = np.random.default_rng(np.random.SeedSequence((_PRUNING, seed, step)))
    pairs = draw_pruning(rng, depths)
    chosen = pairs if windows is None else with_random_counts(rng, pairs, windows)
    return Ratios(tuple((0,) * len(stage) for stage in chosen), chosen)


def both_of_step(seed: int, step: int, depths: tuple[int, ...], windows: tuple[int, ...] | None) -> Ratios:
    """Both ratios of one step; with the windows of each stage, such as give random numbers of low and pruned ones."""
    rng = np.random.default_rng(np.random.SeedSequence((_BOTH, seed, step)))
    taken, share = draw_ratios(rng, depths), float(rng.random())
    pruned: Pairs = tuple(tuple(int(share * ratio) for ratio in stage) for stage in taken)
    if windows is not None:
        thresholds = rng.random(len(windows)).tolist()
        taken, pruned = (_with_counts(pairs, windows, thresholds) for pairs in (taken, pruned))
    low = (tuple(t - p for t, p in zip(*stages, strict=True)) for stages in zip(taken, pruned, strict=True))
    return Ratios(tuple(low), pruned)


def with_random_counts(rng: np.random.Generator, pairs: Pairs, windows: tuple[int, ...]) -> Pairs:
    """Ratios whose numbers of low (or pruned) windows are those of `pairs` rounded at random: right in the mean.

    Inference rounds them up (n_high = n (1000 - q) // 1000). One draw serves a stage, so its ratios keep rising.
    """
    return _with_counts(pairs, windows, rng.random(len(windows)).tolist())


def _with_counts(pairs: Pairs, windows: tuple[int, ...], thresholds: Sequence[float]) -> Pairs:
    """Rounded up where the rest is above the stage's threshold; a larger ratio never becomes the smaller one."""
    return tuple(
        tuple(_ratio_for(ratio, count, threshold) for ratio in stage)
        for stage, count, threshold in zip(pairs, windows, thresholds, strict=True)
    )


def _ratio_for(ratio: int, windows: int, threshold: float) -> int:
    """`ratio`, whose windows are rounded up, or the largest ratio that gives one window less."""
    below, rest = divmod(ratio * windows, WHOLE)
    return ratio if rest > threshold * WHOLE else below * WHOLE // windows
