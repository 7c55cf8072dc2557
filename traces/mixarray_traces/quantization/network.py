"""The quantized network: patch embedding, stages of two-branch blocks, merging, head, over one arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mixarray_traces.importance.context import ImageFacts, Score, ScoreContext
from mixarray_traces.importance.order import rank_windows
from mixarray_traces.model.detector import DetectionHead, Detector, repeat_2x2
from mixarray_traces.model.swin import PatchEmbedding, PatchMerging, SwinBlock, SwinStage, normalise
from mixarray_traces.model.windows import WindowGrid
from mixarray_traces.quantization.arithmetic import Arithmetic, Weight
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.quantization.two_branch import Branch, run_block


@dataclass(frozen=True, slots=True)
class Plan:
    """How a batch is to be run: ratios, score, bits of both branches and outside the blocks, facts per image."""

    ratios: Ratios
    score: Score
    images: tuple[ImageFacts, ...]
    high_bits: int
    low_bits: int
    other_bits: int


@dataclass(frozen=True, slots=True)
class BlockWindows:
    """What happened to the windows of one block: scores (images, windows), ranks (0 = most important), who ran low."""

    stage: int
    block: int
    grid: WindowGrid
    scores: Tensor
    ranks: Tensor
    low: Tensor


@dataclass(frozen=True, slots=True)
class NetworkRun:
    """Head output (images, h, w, classes + 4), and the windows of every block in order."""

    output: Tensor
    windows: tuple[BlockWindows, ...]


def named_weights(detector: Detector) -> dict[str, Weight]:
    """Every linear operator's parameters under its operator name in the trace."""
    found: dict[str, nn.Linear | nn.Conv2d] = {"patch_embed": detector.backbone.patch_embed.proj}
    for index, stage in enumerate(_stages(detector)):
        if isinstance(stage.downsample, PatchMerging):
            found[f"stages.{index - 1}.downsample.reduction"] = stage.downsample.reduction
        for number, block in enumerate(_blocks(stage)):
            prefix = f"stages.{index}.blocks.{number}"
            found[f"{prefix}.attn.qkv"], found[f"{prefix}.attn.proj"] = block.attn.qkv, block.attn.proj
            found[f"{prefix}.mlp.fc1"], found[f"{prefix}.mlp.fc2"] = block.mlp.fc1, block.mlp.fc2
    head = detector.head
    found |= {"head.fine": head.fine, "head.coarse": head.coarse, "head.fc1": head.fc1, "head.fc2": head.fc2}
    return {name: Weight(module.weight.detach().flatten(1), _bias(module)) for name, module in found.items()}


def run_network(detector: Detector, images: Tensor, plan: Plan, arithmetic: Arithmetic) -> NetworkRun:
    """Run normalised images (images, 3, height, width)."""
    premerge = _patches(detector.backbone.patch_embed, images, arithmetic, plan.other_bits)
    features = normalise(detector.backbone.patch_embed.norm, premerge)
    maps: list[Tensor] = []
    windows: list[BlockWindows] = []
    for index, stage in enumerate(_stages(detector)):
        if isinstance(stage.downsample, PatchMerging):
            premerge = stage.downsample.gather(features)
            normed = normalise(stage.downsample.norm, premerge)
            features = arithmetic.linear(f"stages.{index - 1}.downsample.reduction", normed, plan.other_bits)
        stride = detector.backbone.config.stride(index)
        features, seen = _run_stage(stage, index, stride, features, premerge, plan, arithmetic)
        maps.append(features)
        windows.extend(seen)
    return NetworkRun(_run_head(detector.head, maps, arithmetic, plan.other_bits), tuple(windows))


def _run_stage(
    stage: SwinStage,
    index: int,
    stride: int,
    features: Tensor,
    premerge: Tensor,
    plan: Plan,
    arithmetic: Arithmetic,
) -> tuple[Tensor, list[BlockWindows]]:
    """Rank each grid once, from the stage's entry; then run the blocks."""
    entry, ranked, seen = features, {}, []
    for number, block in enumerate(_blocks(stage)):
        grid = block.grid(features.shape[1], features.shape[2])
        if grid not in ranked:
            scores = plan.score(ScoreContext(entry, premerge, grid, index, stride, plan.images))
            ranked[grid] = scores, torch.from_numpy(rank_windows(scores.detach().numpy()))
        scores, ranks = ranked[grid]
        low = ranks >= plan.ratios.high_windows(index, number, grid.count)
        seen.append(BlockWindows(index, number, grid, scores, ranks, low))
        branches = (Branch(plan.high_bits, _numbers(~low)), Branch(plan.low_bits, _numbers(low)))
        features = run_block(block, f"stages.{index}.blocks.{number}", features, grid, branches, arithmetic)
    return features, seen


def _numbers(chosen: Tensor) -> Tensor:
    return chosen.flatten().nonzero().squeeze(1)


def _patches(embedding: PatchEmbedding, images: Tensor, arithmetic: Arithmetic, bits: int) -> Tensor:
    """The patch embedding's convolution as one GEMM, (images, h, w, C)."""
    size = embedding.patch_size
    images = functional.pad(images, (0, -images.shape[3] % size, 0, -images.shape[2] % size))
    batch, channels, height, width = images.shape
    tiles = images.reshape(batch, channels, height // size, size, width // size, size).permute(0, 2, 4, 1, 3, 5)
    return arithmetic.linear("patch_embed", tiles.reshape(*tiles.shape[:3], -1), bits)


def _run_head(head: DetectionHead, maps: list[Tensor], arithmetic: Arithmetic, bits: int) -> Tensor:
    fine = arithmetic.linear("head.fine", normalise(head.norm_fine, maps[-2]), bits)
    coarse = arithmetic.linear("head.coarse", normalise(head.norm_coarse, maps[-1]), bits)
    joined = fine + repeat_2x2(coarse, fine.shape[1], fine.shape[2])
    hidden = functional.gelu(arithmetic.linear("head.fc1", normalise(head.norm, joined), bits))
    return arithmetic.linear("head.fc2", hidden, bits)


def _stages(detector: Detector) -> list[SwinStage]:
    return [stage for stage in detector.backbone.layers if isinstance(stage, SwinStage)]


def _blocks(stage: SwinStage) -> list[SwinBlock]:
    return [block for block in stage.blocks if isinstance(block, SwinBlock)]


def _bias(module: nn.Linear | nn.Conv2d) -> Tensor | None:
    return None if module.bias is None else module.bias.detach()


def weights_by_bits(weights: Mapping[str, Weight], weight_bits: int, other_bits: int) -> dict[str, int]:
    """Bits of every weight: those inside blocks, and all others."""
    return {name: weight_bits if ".blocks." in name else other_bits for name in weights}
