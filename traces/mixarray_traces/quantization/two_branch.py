"""The Two-Branch Swin Block (MixA-Q, ICCV 2025): groups of windows run at different activation bits.

The whole block runs group by group, window by window: LayerNorm, attention, projection, residual, LayerNorm, MLP,
residual. Weights are shared; each branch has its own step and zero point for every activation tensor, and after
training (`low_norms.py`) its own LayerNorms. Windows in no branch are pruned: they keep their input. Attention sees
padded positions (zero after the first LayerNorm), everything else real tokens only: the detection rule. Under
`Padding.BLOCK` the whole block sees them, zero at its start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from mixarray.trace.padding import Padding
from mixarray_traces.model.branch_norms import BranchNorms
from mixarray_traces.model.swin import SwinBlock, WindowAttention, normalise
from mixarray_traces.model.windows import WindowGrid
from mixarray_traces.quantization.arithmetic import Arithmetic
from mixarray_traces.quantization.query_key import reparameterised_products
from mixarray_traces.quantization.window_rows import WindowGroup, shift_mask, window_group


@dataclass(frozen=True, slots=True)
class Branch:
    """Activation bits, and the windows that run at them: int64, numbered image * windows per image + window, rising.

    `norms` are the LayerNorms of this branch where it has its own.
    """

    bits: int
    windows: Tensor
    norms: BranchNorms | None = None


def run_block(
    block: SwinBlock,
    name: str,
    features: Tensor,
    grid: WindowGrid,
    branches: tuple[Branch, ...],
    arithmetic: Arithmetic,
    padding: Padding = Padding.ATTENTION,
) -> Tensor:
    """Run a block on a map (images, height, width, C); windows in no branch keep their input."""
    flat = features.reshape(-1, features.shape[-1])
    result = flat.clone()
    for branch in branches:
        if len(branch.windows):
            group = window_group(grid, branch.windows)
            run = _run_group if padding is Padding.ATTENTION else _run_padded_group
            tokens = run(block, branch, name, flat[group.token_rows], grid, group, arithmetic)
            result[group.token_rows] = tokens
    return result.reshape(features.shape)


def _run_group(
    block: SwinBlock,
    branch: Branch,
    name: str,
    tokens: Tensor,
    grid: WindowGrid,
    group: WindowGroup,
    arithmetic: Arithmetic,
) -> Tensor:
    positions, bits = grid.window**2, branch.bits
    norms = block if branch.norms is None else branch.norms
    windows = _pad(normalise(norms.norm1, tokens), group, positions, block.padding)
    attended = _attention(block.attn, f"{name}.attn", windows, grid, group, bits, arithmetic).flatten(0, 1)
    tokens = tokens + (attended if group.slots is None else attended[group.slots])
    hidden = arithmetic.linear(f"{name}.mlp.fc1", normalise(norms.norm2, tokens), bits)
    return tokens + arithmetic.linear(f"{name}.mlp.fc2", functional.gelu(hidden), bits)


def _run_padded_group(
    block: SwinBlock,
    branch: Branch,
    name: str,
    tokens: Tensor,
    grid: WindowGrid,
    group: WindowGroup,
    arithmetic: Arithmetic,
) -> Tensor:
    """Like `_run_group`, but padded positions, zero at first, go through the whole block before they are cut off."""
    whole = _pad(tokens, group, grid.window**2).flatten(0, 1)
    result = _run_group(block, branch, name, whole, grid, replace(group, slots=None), arithmetic)
    return result if group.slots is None else result[group.slots]


def _pad(tokens: Tensor, group: WindowGroup, positions: int, fill: Tensor | None = None) -> Tensor:
    """Real tokens to whole windows (windows, positions, C); `fill` (C,), or zero, where padded."""
    if group.slots is not None:
        whole = tokens.new_zeros(group.count * positions, tokens.shape[-1])
        if fill is not None:
            whole += fill
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
    if attention.reparameterised:
        logits, v = reparameterised_products(attention, name, windows, bits, arithmetic)
    else:
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
        logits[masked] += masks[place[masked]].to(logits).unsqueeze(1)
