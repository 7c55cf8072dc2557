"""The Two-Branch Swin Block (MixA-Q, ICCV 2025): groups of windows run at different activation bits.

The whole block runs group by group, window by window: LayerNorm, attention, projection, residual, LayerNorm, MLP,
residual. Weights are shared; each branch has its own step and zero point for every activation tensor. Attention sees
padded positions (zero after the first LayerNorm), everything else real tokens only: the detection rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from mixarray_traces.model.swin import SwinBlock, WindowAttention, normalise
from mixarray_traces.model.windows import WindowGrid
from mixarray_traces.quantization.arithmetic import Arithmetic
from mixarray_traces.quantization.window_rows import WindowGroup, shift_mask, window_group


@dataclass(frozen=True, slots=True)
class Branch:
    """Activation bits, and the windows that run at them: int64, numbered image * windows per image + window, rising."""

    bits: int
    windows: Tensor


def run_block(
    block: SwinBlock,
    name: str,
    features: Tensor,
    grid: WindowGrid,
    branches: tuple[Branch, ...],
    arithmetic: Arithmetic,
) -> Tensor:
    """Run a block on a map (images, height, width, C); windows in no branch keep their input."""
    flat = features.reshape(-1, features.shape[-1])
    result = flat.clone()
    for branch in branches:
        if len(branch.windows):
            group = window_group(grid, branch.windows)
            tokens = _run_group(block, name, flat[group.token_rows], grid, group, branch.bits, arithmetic)
            result[group.token_rows] = tokens
    return result.reshape(features.shape)


def _run_group(
    block: SwinBlock,
    name: str,
    tokens: Tensor,
    grid: WindowGrid,
    group: WindowGroup,
    bits: int,
    arithmetic: Arithmetic,
) -> Tensor:
    positions = grid.window**2
    windows = _pad(normalise(block.norm1, tokens), group, positions)
    attended = _attention(block.attn, f"{name}.attn", windows, grid, group, bits, arithmetic).flatten(0, 1)
    tokens = tokens + (attended if group.slots is None else attended[group.slots])
    hidden = arithmetic.linear(f"{name}.mlp.fc1", normalise(block.norm2, tokens), bits)
    return tokens.add_(arithmetic.linear(f"{name}.mlp.fc2", functional.gelu(hidden), bits))


def _pad(tokens: Tensor, group: WindowGroup, positions: int) -> Tensor:
    """Real tokens to whole windows (windows, positions, C), zero where padded."""
    if group.slots is not None:
        whole = tokens.new_zeros(group.count * positions, tokens.shape[-1])
        whole[group.slots] = tokens
        tokens = whole
    return tokens.reshape(group.count, positions, -1)


def _attention(
    attention: WindowAttention,
    name: str,
    windows: Tensor,
    grid: WindowGrid,
    group: WindowGroup,
    bits: int,
    arithmetic: Arithmetic,
) -> Tensor:
    q, k, v = attention.split_heads(arithmetic.linear(f"{name}.qkv", windows, bits))
    logits = arithmetic.matmul(f"{name}.qk", q * attention.scale, k.transpose(-2, -1), bits)
    logits = logits.add_(attention.position_bias(grid.window))
    _add_mask(logits, grid, group)
    weights = torch.softmax(logits, dim=-1)
    mixed = arithmetic.matmul(f"{name}.av", weights, v, bits)
    joined = mixed.transpose(1, 2).reshape(windows.shape)
    return arithmetic.linear(f"{name}.proj", joined, bits)


def _add_mask(logits: Tensor, grid: WindowGrid, group: WindowGroup) -> None:
    """Add the shift mask, in place, to the windows that have one."""
    places, masks = shift_mask(grid)
    place = places[group.window]
    masked = (place >= 0).nonzero().squeeze(1)
    if len(masked):
        logits[masked] += masks[place[masked]].to(logits.dtype).unsqueeze(1)
