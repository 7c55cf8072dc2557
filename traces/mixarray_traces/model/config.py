"""Shapes of Swin transformers and of the detector."""

from __future__ import annotations

from dataclasses import dataclass, field

from mixarray_traces.model.normalization import IMAGENET, Normalization
from mixarray_traces.model.windows import SmallMapRule


@dataclass(frozen=True)
class SwinConfig:
    """Shape of a Swin transformer (Liu et al., ICCV 2021).

    Attributes:
        embed_dim: channels of the first stage; each later stage doubles them.
        depths: blocks per stage; odd blocks (1, 3, ...) use the shifted grid.
        num_heads: attention heads per stage; they divide the stage's channels.
        window_size: side of a window, in tokens.
        mlp_ratio: hidden channels of the MLP over the channels of the block.
        patch_size: side of a patch, in px.
        in_channels: channels of the image.
        num_classes: outputs of the classification head, or None for a backbone without `norm` and `head`.
        small_map_rule: what a block does on a map not larger than the window.
    """

    embed_dim: int = 96
    depths: tuple[int, ...] = (2, 2, 6, 2)
    num_heads: tuple[int, ...] = (3, 6, 12, 24)
    window_size: int = 7
    mlp_ratio: int = 4
    patch_size: int = 4
    in_channels: int = 3
    num_classes: int | None = None
    small_map_rule: SmallMapRule = SmallMapRule.SHRINK

    def __post_init__(self) -> None:
        numbers = (self.embed_dim, self.window_size, self.mlp_ratio, self.patch_size, self.in_channels)
        if min(*numbers, *self.depths, *self.num_heads) < 1:
            raise ValueError(f"SwinConfig: every size must be at least 1: {self}")
        if not self.depths or len(self.depths) != len(self.num_heads):
            raise ValueError(f"SwinConfig: depths {self.depths} and num_heads {self.num_heads} differ in length")
        for stage, heads in enumerate(self.num_heads):
            if self.stage_dim(stage) % heads:
                raise ValueError(f"SwinConfig: {heads} heads do not divide {self.stage_dim(stage)} channels")

    @property
    def num_stages(self) -> int:
        """Number of stages."""
        return len(self.depths)

    def stage_dim(self, stage: int) -> int:
        """Channels of a stage."""
        return self.embed_dim << stage

    def stride(self, stage: int) -> int:
        """Image px per token of a stage."""
        return self.patch_size << stage


SWIN_T = SwinConfig(96, (2, 2, 6, 2), (3, 6, 12, 24))
"""Swin-T, 28.3 M parameters with a 1000-class head."""
SWIN_S = SwinConfig(96, (2, 2, 18, 2), (3, 6, 12, 24))
"""Swin-S, 49.6 M parameters with a 1000-class head."""
SWIN_B = SwinConfig(128, (2, 2, 18, 2), (4, 8, 16, 32))
"""Swin-B, 87.8 M parameters with a 1000-class head."""
NAMED_SWINS = {"swin_t": SWIN_T, "swin_s": SWIN_S, "swin_b": SWIN_B}
"""Backbones that a command can name."""
SWIN_SMALL_DETECTOR = SwinConfig(32, (2, 2, 6), (1, 2, 4))
"""Backbone of the shipped detector: head dimension 32, three block pairs in the last stage."""
SWIN_TINY_TEST = SwinConfig(8, (2, 2), (1, 2), window_size=4)
"""For tests: runs in milliseconds."""


@dataclass(frozen=True)
class DetectorConfig:
    """Shape of the detector: a Swin backbone and a head of Linear, LayerNorm and GELU only.

    Attributes:
        backbone: shape of the backbone; its last two stages feed the head.
        head_dim: channels of the head's map.
        head_hidden_dim: hidden channels of the head's MLP.
        num_classes: object classes.
    """

    backbone: SwinConfig = field(default=SWIN_SMALL_DETECTOR)
    head_dim: int = 128
    head_hidden_dim: int = 256
    num_classes: int = 10

    def __post_init__(self) -> None:
        if self.backbone.num_stages < 2:
            raise ValueError("DetectorConfig: the head needs a backbone of at least two stages")
        if min(self.head_dim, self.head_hidden_dim, self.num_classes) < 1:
            raise ValueError(f"DetectorConfig: every size must be at least 1: {self}")

    @property
    def stride(self) -> int:
        """Image px per cell of the head's map: the stride of the last stage but one."""
        return self.backbone.stride(self.backbone.num_stages - 2)


@dataclass(frozen=True)
class ClassifierConfig:
    """Shape of a classifier: a Swin backbone, LayerNorm, mean over the tokens, one Linear.

    Attributes:
        backbone: shape of the backbone, without its own classes.
        num_classes: classes.
        normalization: what its input was normalised with in training.
    """

    backbone: SwinConfig
    num_classes: int
    normalization: Normalization = IMAGENET

    def __post_init__(self) -> None:
        if self.num_classes < 1:
            raise ValueError(f"ClassifierConfig: {self.num_classes} classes; at least 1")
        _check_bare(self.backbone)


@dataclass(frozen=True)
class BackboneConfig:
    """Shape of a backbone whose maps another program's head reads.

    Attributes:
        backbone: shape of the backbone, without classes.
        normalization: what its input was normalised with in training.
    """

    backbone: SwinConfig
    normalization: Normalization = IMAGENET

    def __post_init__(self) -> None:
        _check_bare(self.backbone)


def _check_bare(backbone: SwinConfig) -> None:
    if backbone.num_classes is not None:
        raise ValueError("a backbone with a head of its own; its num_classes must be None")
    if backbone.in_channels != 3:
        raise ValueError(f"{backbone.in_channels} channels of the image; images here have 3")
