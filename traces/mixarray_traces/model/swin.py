"""The Swin transformer, with timm's parameter names; any input size.

After Liu et al., "Swin Transformer", ICCV 2021. Sizes follow the detection rule: the image is padded to whole
patches, a map is padded with zeros to whole windows after `norm1` and cropped after attention, the MLP sees the
unpadded map, and merging pads odd maps. Every operation that a quantizer must see is a line of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mixarray_traces.model.branch_norms import BranchNorms
from mixarray_traces.model.config import SwinConfig
from mixarray_traces.model.windows import (
    SmallMapRule,
    WindowGrid,
    from_windows,
    relative_position_index,
    shift_attention_mask,
    to_windows,
    window_grid,
)

NORM_EPSILON = 1e-5


class PatchEmbedding(nn.Module):
    """Cuts the image into patches: a convolution whose stride is its size, then a LayerNorm."""

    def __init__(self, config: SwinConfig) -> None:
        super().__init__()
        self.patch_size = config.patch_size
        self.proj = nn.Conv2d(config.in_channels, config.embed_dim, config.patch_size, config.patch_size)
        self.norm = nn.LayerNorm(config.embed_dim, eps=NORM_EPSILON)

    def forward(self, images: Tensor) -> Tensor:
        """(batch, channels, height, width) in px to (batch, height, width, embed_dim) in tokens."""
        below, right = -images.shape[2] % self.patch_size, -images.shape[3] % self.patch_size
        if below or right:
            images = functional.pad(images, (0, right, 0, below))
        tokens = self.proj(images).permute(0, 2, 3, 1)
        return normalise(self.norm, tokens)


class PatchMerging(nn.Module):
    """Joins 2x2 tokens: LayerNorm over 4C channels, then a Linear to 2C without bias."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * dim, eps=NORM_EPSILON)
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)

    def gather(self, x: Tensor) -> Tensor:
        """(batch, h, w, C) to (batch, ceil(h/2), ceil(w/2), 4C): upper left, lower left, upper right, lower right."""
        if x.shape[1] % 2 or x.shape[2] % 2:
            x = functional.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        batch, height, width, channels = x.shape
        tiles = x.reshape(batch, height // 2, 2, width // 2, 2, channels)
        return tiles.permute(0, 1, 3, 4, 2, 5).reshape(batch, height // 2, width // 2, 4 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, h, w, C) to (batch, ceil(h/2), ceil(w/2), 2C)."""
        gathered = normalise(self.norm, self.gather(x))
        reduced: Tensor = self.reduction(gathered)
        return reduced


class WindowAttention(nn.Module):
    """Multi-head attention within windows, with a learned bias per relative position.

    `reparameterised` changes how the quantized network forms its scores (`quantization.query_key`), nothing here.
    """

    def __init__(self, dim: int, num_heads: int, window_size: int) -> None:
        super().__init__()
        self.reparameterised = False
        self.num_heads = num_heads
        self.head_dim = dim // num_heads
        self.window_size = window_size
        self.scale = float(self.head_dim**-0.5)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window_size - 1) ** 2, num_heads))
        index = relative_position_index(window_size)
        self.register_buffer("relative_position_index", index, persistent=False)

    def position_bias(self, window: int) -> Tensor:
        """Bias of all token pairs, (heads, window**2, window**2)."""
        if window == self.window_size:
            index = self.get_buffer("relative_position_index")
        else:
            index = relative_position_index(window, self.window_size).to(self.relative_position_bias_table.device)
        tokens = window * window
        return self.relative_position_bias_table[index.reshape(-1)].reshape(tokens, tokens, -1).permute(2, 0, 1)

    def split_heads(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(windows, tokens, 3C) to q, k and v of (windows, heads, tokens, head_dim) each."""
        windows, tokens, _ = qkv.shape
        q, k, v = qkv.reshape(windows, tokens, 3, self.num_heads, self.head_dim).permute(2, 0, 3, 1, 4).unbind(0)
        return q, k, v

    def forward(self, windows: Tensor, bias: Tensor) -> Tensor:
        """Attend within windows.

        Args:
            windows: (windows, tokens, C).
            bias: position bias plus mask, (heads, tokens, tokens) or (images or 1, per image, heads, tokens, tokens).

        Returns:
            (windows, tokens, C).
        """
        count, tokens, channels = windows.shape
        q, k, v = self.split_heads(self.qkv(windows))
        logits = (q * self.scale) @ k.transpose(-2, -1)
        logits = add_bias(logits, bias)
        attention = torch.softmax(logits, dim=-1)
        values = (attention @ v).transpose(1, 2).reshape(count, tokens, channels)
        out: Tensor = self.proj(values)
        return out


class Mlp(nn.Module):
    """Linear, exact GELU, Linear; token by token."""

    def __init__(self, dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) to (..., C)."""
        hidden = functional.gelu(self.fc1(x))
        out: Tensor = self.fc2(hidden)
        return out


class SwinBlock(nn.Module):
    """One Swin block: window attention and MLP, each behind a LayerNorm and added to its input.

    `padding` (C,) is what padded positions hold behind `norm1`: None, zeros, unless a quantization method moved the
    zero of its channels (`quantization.folding`). `low_norms` are the low branch's LayerNorms where it has its own.
    """

    padding: Tensor | None
    low_norms: BranchNorms | None

    def __init__(
        self, dim: int, num_heads: int, window_size: int, shift: int, *, mlp_ratio: int, rule: SmallMapRule
    ) -> None:
        super().__init__()
        self.window_size = window_size
        self.shift = shift
        self.small_map_rule = rule
        self.register_buffer("padding", None, persistent=False)
        self.register_module("low_norms", None)
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPSILON)
        self.attn = WindowAttention(dim, num_heads, window_size)
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPSILON)
        self.mlp = Mlp(dim, mlp_ratio * dim)

    def grid(self, height: int, width: int) -> WindowGrid:
        """How this block cuts a map of height x width tokens."""
        return window_grid(height, width, self.window_size, self.shift, self.small_map_rule)

    def attention_bias(self, grid: WindowGrid) -> Tensor:
        """Position bias, plus the shift mask on a shifted grid.

        Returns:
            (heads, tokens, tokens), or on a shifted grid (1, windows, heads, tokens, tokens).
        """
        bias = self.attn.position_bias(grid.window)
        if not grid.shift:
            return bias
        mask = shift_attention_mask(grid.padded_height, grid.padded_width, grid.window, grid.shift)
        return bias[None, None] + mask.to(bias)[None, :, None]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, height, width, C) to the same shape."""
        grid = self.grid(x.shape[1], x.shape[2])
        windows = to_windows(normalise(self.norm1, x), grid, self.padding)
        x = x + from_windows(self.attn(windows, self.attention_bias(grid)), grid)
        out: Tensor = x + self.mlp(normalise(self.norm2, x))
        return out


class SwinStage(nn.Module):
    """A merging (not in the first stage) and the stage's blocks, regular and shifted in turn."""

    def __init__(self, config: SwinConfig, stage: int) -> None:
        super().__init__()
        dim = config.stage_dim(stage)
        self.downsample: nn.Module = PatchMerging(dim // 2) if stage else nn.Identity()
        self.blocks = nn.ModuleList(
            SwinBlock(
                dim,
                config.num_heads[stage],
                config.window_size,
                config.window_size // 2 if block % 2 else 0,
                mlp_ratio=config.mlp_ratio,
                rule=config.small_map_rule,
            )
            for block in range(config.depths[stage])
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, h, w, C) to (batch, h, w, C) in the first stage, (batch, ceil(h/2), ceil(w/2), 2C) in others."""
        x = self.downsample(x)
        for block in self.blocks:
            x = block(x)
        return x


class ClassifierHead(nn.Module):
    """Mean over the tokens, then one Linear."""

    def __init__(self, dim: int, num_classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(dim, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, h, w, C) to logits (batch, classes)."""
        logits: Tensor = self.fc(x.mean(dim=(1, 2)))
        return logits


class SwinTransformer(nn.Module):
    """A Swin transformer; a backbone where `config.num_classes` is None, else a classifier."""

    def __init__(self, config: SwinConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_embed = PatchEmbedding(config)
        self.layers = nn.ModuleList(SwinStage(config, stage) for stage in range(config.num_stages))
        if config.num_classes is not None:
            last_dim = config.stage_dim(config.num_stages - 1)
            self.norm = nn.LayerNorm(last_dim, eps=NORM_EPSILON)
            self.head = ClassifierHead(last_dim, config.num_classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> list[Tensor]:
        """(batch, channels, height, width) to the map of every stage, (batch, h, w, C) each, without a final norm."""
        x = self.patch_embed(images)
        features: list[Tensor] = []
        for stage in self.layers:
            x = stage(x)
            features.append(x)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Class logits (batch, classes); without a classification head the map of the last stage."""
        last = self.forward_features(images)[-1]
        if self.config.num_classes is None:
            return last
        logits: Tensor = self.head(normalise(self.norm, last))
        return logits


def normalise(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    """Apply a LayerNorm (typed)."""
    out: Tensor = norm(x)
    return out


def add_bias(logits: Tensor, bias: Tensor) -> Tensor:
    """Add a position bias or a bias with mask to logits of (windows, heads, tokens, tokens)."""
    if bias.dim() == 3:
        return logits + bias
    return (logits.reshape(-1, *bias.shape[1:]) + bias).reshape(logits.shape)


def _initialise(module: nn.Module) -> None:
    """Weights and bias tables from a normal of deviation 0.02 cut at two, biases zero."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, WindowAttention):
        nn.init.trunc_normal_(module.relative_position_bias_table, std=0.02)
