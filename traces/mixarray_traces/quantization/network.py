"""The quantized network as data: how it is to be run, what a run left, and its weights by operator name."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mixarray.trace.padding import Padding
from mixarray_traces.importance.context import ImageFacts, Score
from mixarray_traces.model.kinds import Model
from mixarray_traces.model.swin import PatchMerging, SwinBlock, SwinStage
from mixarray_traces.model.windows import WindowGrid
from mixarray_traces.quantization.allocation import LayerBits
from mixarray_traces.quantization.arithmetic import Weight
from mixarray_traces.quantization.heads import head_linears
from mixarray_traces.quantization.query_key import reparameterised_weights
from mixarray_traces.quantization.ratios import Ratios


@dataclass(frozen=True, slots=True)
class Plan:
    """How a batch is to be run.

    Ratios, score, facts per image, the bits that name both branches and the one outside the blocks (`allocation.py`:
    a tensor may have others in them), and what runs on padded positions.
    """

    ratios: Ratios
    score: Score
    images: tuple[ImageFacts, ...]
    high_bits: int
    low_bits: int
    other_bits: int
    padding: Padding = Padding.ATTENTION

    @property
    def without_ratios(self) -> Hashable:
        """All that two plans must share to run a block alike when their ratios choose the same windows."""
        bits = (self.high_bits, self.low_bits, self.other_bits)
        return self.ratios.promotion, self.score, tuple(map(id, self.images)), bits, self.padding


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
    for index, stage in enumerate(stages_of(detector)):
        if isinstance(stage.downsample, PatchMerging):
            found[f"stages.{index - 1}.downsample.reduction"] = stage.downsample.reduction
        for number, block in enumerate(blocks_of(stage)):
            prefix = f"stages.{index}.blocks.{number}"
            if block.attn.reparameterised:
                reparameterised |= reparameterised_weights(block.attn, f"{prefix}.attn")
            else:
                found[f"{prefix}.attn.qkv"] = block.attn.qkv
            found[f"{prefix}.attn.proj"] = block.attn.proj
            found[f"{prefix}.mlp.fc1"], found[f"{prefix}.mlp.fc2"] = block.mlp.fc1, block.mlp.fc2
    found |= head_linears(detector.head)
    return {name: Weight(module.weight.flatten(1), module.bias) for name, module in found.items()} | reparameterised


def stages_of(detector: Model) -> list[SwinStage]:
    """The stages of the backbone, in order."""
    return [stage for stage in detector.backbone.layers if isinstance(stage, SwinStage)]


def blocks_of(stage: SwinStage) -> list[SwinBlock]:
    """The blocks of a stage, in order."""
    return [block for block in stage.blocks if isinstance(block, SwinBlock)]


def _detached(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach()


def weights_by_bits(weights: Mapping[str, Weight], layers: LayerBits) -> dict[str, int]:
    """Bits of every weight."""
    return {name: layers.weight(name) for name in weights}
