"""The quantized network: patch embedding, stages of two-branch blocks, merging, head, over one arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from mixarray.trace.padding import Padding
from mixarray.trace.ratio import Promotion
from mixarray_traces.importance.context import ImageFacts, Score, ScoreContext
from mixarray_traces.importance.order import rank_windows
from mixarray_traces.model.kinds import Model
from mixarray_traces.model.swin import PatchEmbedding, PatchMerging, SwinBlock, SwinStage, normalise
from mixarray_traces.model.windows import WindowGrid
from mixarray_traces.quantization.arithmetic import Arithmetic, Weight
from mixarray_traces.quantization.heads import head_linears, run_head
from mixarray_traces.quantization.query_key import reparameterised_weights
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.quantization.two_branch import Branch, run_block


@dataclass(frozen=True, slots=True)
class Plan:
    """How a batch is to be run.

    Ratios, score, facts per image, bits of both branches and outside the blocks, and what runs on padded positions.
    """

    ratios: Ratios
    score: Score
    images: tuple[ImageFacts, ...]
    high_bits: int
    low_bits: int
    other_bits: int
    padding: Padding = Padding.ATTENTION


@dataclass(frozen=True, slots=True)
class BlockWindows:
    """What happened to the windows of one block, each (images, windows).

    Scores, ranks (0 = most important), who ran low, and who was pruned; the others ran high.
    """

    stage: int
    block: int
    grid: WindowGrid
    scores: Tensor
    ranks: Tensor
    low: Tensor
    pruned: Tensor


@dataclass(frozen=True, slots=True)
class BlockStep:
    """A block that has just run: its module and operator name, its windows, the maps before and after it."""

    module: SwinBlock
    name: str
    windows: BlockWindows
    before: Tensor
    after: Tensor


Watcher = Callable[[BlockStep], None]
"""Sees every block of a run, in order; the maps (images, height, width, C) are not its own to change."""


@dataclass(frozen=True, slots=True)
class NetworkRun:
    """Head output, the windows of every block in order, and the map (images, h, w, C) that every stage leaves.

    The output is (images, h, w, classes + 4) of a detector, (images, classes) of a classifier, the last map of a
    backbone.
    """

    output: Tensor
    windows: tuple[BlockWindows, ...]
    maps: tuple[Tensor, ...]


def named_weights(detector: Model) -> dict[str, Weight]:
    """Every linear operator's parameters under its operator name in the trace, without gradients."""
    with torch.no_grad():
        live = live_weights(detector)
    return {name: Weight(one.matrix.detach(), _detached(one.bias)) for name, one in live.items()}


def live_weights(detector: Model) -> dict[str, Weight]:
    """As `named_weights`, with gradients."""
    found: dict[str, nn.Linear | nn.Conv2d] = {"patch_embed": detector.backbone.patch_embed.proj}
    reparameterised: dict[str, Weight] = {}
    for index, stage in enumerate(_stages(detector)):
        if isinstance(stage.downsample, PatchMerging):
            found[f"stages.{index - 1}.downsample.reduction"] = stage.downsample.reduction
        for number, block in enumerate(_blocks(stage)):
            prefix = f"stages.{index}.blocks.{number}"
            if block.attn.reparameterised:
                reparameterised |= reparameterised_weights(block.attn, f"{prefix}.attn")
            else:
                found[f"{prefix}.attn.qkv"] = block.attn.qkv
            found[f"{prefix}.attn.proj"] = block.attn.proj
            found[f"{prefix}.mlp.fc1"], found[f"{prefix}.mlp.fc2"] = block.mlp.fc1, block.mlp.fc2
    found |= head_linears(detector.head)
    return {name: Weight(module.weight.flatten(1), module.bias) for name, module in found.items()} | reparameterised


def run_network(
    detector: Model, images: Tensor, plan: Plan, arithmetic: Arithmetic, watch: Watcher | None = None
) -> NetworkRun:
    """Run normalised images (images, 3, height, width); `watch` sees every block."""
    premerge = _patches(detector.backbone.patch_embed, images, arithmetic, plan.other_bits)
    features = normalise(detector.backbone.patch_embed.norm, premerge)
    maps: list[Tensor] = []
    windows: list[BlockWindows] = []
    for index, stage in enumerate(_stages(detector)):
        if isinstance(stage.downsample, PatchMerging):
            premerge = stage.downsample.gather(features)
            normed = normalise(stage.downsample.norm, premerge)
            features = arithmetic.linear(f"stages.{index - 1}.downsample.reduction", normed, plan.other_bits)
        grid, stride = _blocks(stage)[0].grid(*features.shape[1:3]), detector.backbone.config.stride(index)
        entry = ScoreContext(features, premerge, grid, index, stride, plan.images)
        features, seen = _run_stage(stage, entry, plan, arithmetic, watch)
        maps.append(features)
        windows.extend(seen)
    return NetworkRun(run_head(detector.head, maps, arithmetic, plan.other_bits), tuple(windows), tuple(maps))


def _run_stage(
    stage: SwinStage, entry: ScoreContext, plan: Plan, arithmetic: Arithmetic, watch: Watcher | None
) -> tuple[Tensor, list[BlockWindows]]:
    """Rank each grid once, from the stage's entry, or every block's windows anew; then run the blocks."""
    features, ranked, seen = entry.tokens, dict[WindowGrid, tuple[Tensor, Tensor]](), []
    ranks_anew = plan.ratios.promotion is Promotion.RANKING
    for number, block in enumerate(_blocks(stage)):
        grid = block.grid(features.shape[1], features.shape[2])
        if ranks_anew or grid not in ranked:
            now = features if ranks_anew else entry.tokens
            ranked[grid] = _rank(replace(entry, tokens=now, grid=grid), plan.score)
        chosen = _choose(entry.stage, number, grid, ranked[grid], plan.ratios)
        seen.append(chosen)
        before, high = features, ~(chosen.low | chosen.pruned)
        low = Branch(plan.low_bits, _numbers(chosen.low), block.low_norms)
        branches = (Branch(plan.high_bits, _numbers(high)), low)
        name = f"stages.{entry.stage}.blocks.{number}"
        features = run_block(block, name, before, grid, branches, arithmetic, plan.padding)
        if watch is not None:
            watch(BlockStep(block, name, chosen, before, features))
    return features, seen


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


def _stages(detector: Model) -> list[SwinStage]:
    return [stage for stage in detector.backbone.layers if isinstance(stage, SwinStage)]


def _blocks(stage: SwinStage) -> list[SwinBlock]:
    return [block for block in stage.blocks if isinstance(block, SwinBlock)]


def _detached(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach()


def weights_by_bits(weights: Mapping[str, Weight], weight_bits: int, other_bits: int) -> dict[str, int]:
    """Bits of every weight: those inside blocks, and all others."""
    return {name: weight_bits if ".blocks." in name else other_bits for name in weights}
