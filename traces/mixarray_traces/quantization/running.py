"""Running the quantized network: patch embedding, stages of two-branch blocks, merging, head, over one arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from mixarray.trace.ratio import Promotion
from mixarray_traces.importance.context import Score, ScoreContext
from mixarray_traces.importance.order import rank_windows
from mixarray_traces.model.kinds import Model
from mixarray_traces.model.swin import PatchEmbedding, PatchMerging, SwinBlock, normalise
from mixarray_traces.model.windows import WindowGrid
from mixarray_traces.quantization.arithmetic import Arithmetic
from mixarray_traces.quantization.heads import run_head
from mixarray_traces.quantization.network import (
    BlockStep,
    BlockWindows,
    NetworkRun,
    Plan,
    Watcher,
    blocks_of,
    stages_of,
)
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.quantization.two_branch import Branch, run_block


def run_network(
    detector: Model, images: Tensor, plan: Plan, arithmetic: Arithmetic, watch: Watcher | None = None
) -> NetworkRun:
    """Run normalised images (images, 3, height, width); `watch` sees every block."""
    place = _begin(detector, images, plan, arithmetic)
    while place.block is not None:
        place = _run_next(detector, place, plan, arithmetic, watch)
    return _end(detector, place, plan, arithmetic)


def run_plans(
    detector: Model, images: Tensor, plans: Sequence[Plan], arithmetic: Arithmetic
) -> Iterator[tuple[int, NetworkRun]]:
    """Run the same images under several plans, in any order: (number of the plan, its run), bits as of `run_network`.

    Plans that differ only in ratios share all blocks before the first in which other windows run low or are pruned.
    """
    for places in _alike(range(len(plans)), lambda number: plans[number].without_ratios):
        start = _begin(detector, images, plans[places[0]], arithmetic)
        yield from _run_on(detector, start, plans, places, arithmetic)


def _run_on(
    detector: Model, place: _Place, plans: Sequence[Plan], numbers: Sequence[int], arithmetic: Arithmetic
) -> Iterator[tuple[int, NetworkRun]]:
    """Go on from where the plans of these numbers still agree."""
    first = plans[numbers[0]]
    if place.block is None:
        run = _end(detector, place, first, arithmetic)
        yield from ((number, run) for number in numbers)
        return
    stage, block, windows = place.entry.stage, place.number, place.grid.count
    for group in _alike(numbers, lambda number: plans[number].ratios.sizes(stage, block, windows)):
        after = _run_next(detector, place, plans[group[0]], arithmetic)
        yield from _run_on(detector, after, plans, group, arithmetic)


def _alike(numbers: Iterable[int], key: Callable[[int], Hashable]) -> list[list[int]]:
    """The numbers of equal keys together."""
    groups: dict[Hashable, list[int]] = {}
    for number in numbers:
        groups.setdefault(key(number), []).append(number)
    return list(groups.values())


def embed(detector: Model, images: Tensor, arithmetic: Arithmetic, branch: int) -> tuple[Tensor, Tensor]:
    """The map before the first stage, (images, h, w, C), and what its normalisation read."""
    premerge = _patches(detector.backbone.patch_embed, images, arithmetic, branch)
    return normalise(detector.backbone.patch_embed.norm, premerge), premerge


def merge(detector: Model, stage: int, features: Tensor, arithmetic: Arithmetic, branch: int) -> tuple[Tensor, Tensor]:
    """From the map behind a stage to the map before the next one, and what the normalisation between them read."""
    downsample = stages_of(detector)[stage + 1].downsample
    if not isinstance(downsample, PatchMerging):
        return features, features
    premerge = downsample.gather(features)
    normed = normalise(downsample.norm, premerge)
    return arithmetic.linear(f"stages.{stage}.downsample.reduction", normed, branch), premerge


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a run stands: before `block`, or, where that is None, behind the last one.

    features: the map there. number: of the block in its stage. entry: what the stage began with. ranked: scores and
    ranks by grid, filled as grids are met; they depend on the stage's entry alone. windows, maps: as in `NetworkRun`.
    """

    block: SwinBlock | None
    features: Tensor
    number: int
    entry: ScoreContext
    ranked: dict[WindowGrid, tuple[Tensor, Tensor]]
    windows: tuple[BlockWindows, ...]
    maps: tuple[Tensor, ...]

    @property
    def grid(self) -> WindowGrid:
        """How the next block cuts windows."""
        if self.block is None:
            raise ValueError("no block is left")
        return self.block.grid(self.features.shape[1], self.features.shape[2])


def _begin(detector: Model, images: Tensor, plan: Plan, arithmetic: Arithmetic) -> _Place:
    features, premerge = embed(detector, images, arithmetic, plan.other_bits)
    return _enter(detector, 0, features, premerge, plan, (), ())


def _enter(
    detector: Model,
    index: int,
    features: Tensor,
    premerge: Tensor,
    plan: Plan,
    windows: tuple[BlockWindows, ...],
    maps: tuple[Tensor, ...],
) -> _Place:
    """Before the first block of a stage."""
    first = blocks_of(stages_of(detector)[index])[0]
    grid, stride = first.grid(*features.shape[1:3]), detector.backbone.config.stride(index)
    entry = ScoreContext(features, premerge, grid, index, stride, plan.images)
    return _Place(first, features, 0, entry, {}, windows, maps)


def _run_next(
    detector: Model, place: _Place, plan: Plan, arithmetic: Arithmetic, watch: Watcher | None = None
) -> _Place:
    """Run the next block, and the patch merging behind it if it is its stage's last."""
    block, number, grid, before = place.block, place.number, place.grid, place.features
    if block is None:
        raise ValueError("no block is left")
    chosen = _choose(place.entry.stage, number, grid, _ranking(place, grid, plan), plan.ratios)
    high = ~(chosen.low | chosen.pruned)
    low = Branch(plan.low_bits, _numbers(chosen.low), block.low_norms)
    branches = (Branch(plan.high_bits, _numbers(high)), low)
    name = f"stages.{place.entry.stage}.blocks.{number}"
    features = run_block(block, name, before, grid, branches, arithmetic, plan.padding)
    if watch is not None:
        watch(BlockStep(block, name, chosen, before, features))
    return _step(detector, replace(place, features=features, windows=(*place.windows, chosen)), plan, arithmetic)


def _step(detector: Model, place: _Place, plan: Plan, arithmetic: Arithmetic) -> _Place:
    """From behind a block to before the next one."""
    stages, stage, number = stages_of(detector), place.entry.stage, place.number + 1
    blocks = blocks_of(stages[stage])
    if number < len(blocks):
        return replace(place, block=blocks[number], number=number)
    maps = (*place.maps, place.features)
    if stage + 1 == len(stages):
        return replace(place, block=None, maps=maps)
    features, premerge = merge(detector, stage, place.features, arithmetic, plan.other_bits)
    return _enter(detector, stage + 1, features, premerge, plan, place.windows, maps)


def _end(detector: Model, place: _Place, plan: Plan, arithmetic: Arithmetic) -> NetworkRun:
    output = run_head(detector.head, list(place.maps), arithmetic, plan.other_bits)
    return NetworkRun(output, place.windows, place.maps)


def _ranking(place: _Place, grid: WindowGrid, plan: Plan) -> tuple[Tensor, Tensor]:
    """Each grid is ranked once, from the stage's entry, or every block's windows anew."""
    if plan.ratios.promotion is Promotion.RANKING:
        return _rank(replace(place.entry, tokens=place.features, grid=grid), plan.score)
    if grid not in place.ranked:
        place.ranked[grid] = _rank(replace(place.entry, grid=grid), plan.score)
    return place.ranked[grid]


def _rank(context: ScoreContext, score: Score) -> tuple[Tensor, Tensor]:
    """Scores and ranks, (images, windows) each."""
    scores = score(context)
    return scores, torch.from_numpy(rank_windows(scores.detach().cpu().numpy()))


def _choose(stage: int, block: int, grid: WindowGrid, ranked: tuple[Tensor, Tensor], ratios: Ratios) -> BlockWindows:
    """The least important windows are pruned, the next run low."""
    scores, ranks = ranked
    high, low, _ = ratios.sizes(stage, block, grid.count)
    pruned = ranks >= high + low
    return BlockWindows(stage, block, grid, scores, ranks, (ranks >= high) & ~pruned, pruned)


def _numbers(chosen: Tensor) -> Tensor:
    return chosen.flatten().nonzero().squeeze(1)


def _patches(embedding: PatchEmbedding, images: Tensor, arithmetic: Arithmetic, bits: int) -> Tensor:
    """The patch embedding's convolution as one GEMM, (images, h, w, C)."""
    size = embedding.patch_size
    images = functional.pad(images, (0, -images.shape[3] % size, 0, -images.shape[2] % size))
    batch, channels, height, width = images.shape
    tiles = images.reshape(batch, channels, height // size, size, width // size, size).permute(0, 2, 4, 1, 3, 5)
    return arithmetic.linear("patch_embed", tiles.reshape(*tiles.shape[:3], -1), bits)
