"""A classifier, and a backbone without a head: the models of users that are no detector of ours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from mixarray_traces.model.config import BackboneConfig, ClassifierConfig
from mixarray_traces.model.swin import NORM_EPSILON, SwinTransformer, normalise


class ClassificationHead(nn.Module):
    """LayerNorm, mean over the tokens of the last stage, one Linear (Liu et al., ICCV 2021)."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        last_dim = config.backbone.stage_dim(config.backbone.num_stages - 1)
        self.norm = nn.LayerNorm(last_dim, eps=NORM_EPSILON)
        self.fc = nn.Linear(last_dim, config.num_classes)
        nn.init.trunc_normal_(self.fc.weight, std=0.02)
        nn.init.zeros_(self.fc.bias)

    def pool(self, features: list[Tensor]) -> Tensor:
        """Stage maps, (batch, h, w, C) each, to the normalised last one's mean (batch, C): the Linear's input."""
        return normalise(self.norm, features[-1]).mean(dim=(1, 2))

    def forward(self, features: list[Tensor]) -> Tensor:
        """Stage maps, (batch, h, w, C) each, to logits (batch, classes)."""
        logits: Tensor = self.fc(self.pool(features))
        return logits


class Classifier(nn.Module):
    """Backbone and classification head."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = SwinTransformer(config.backbone)
        self.head = ClassificationHead(config)

    def to_input(self, images: npt.NDArray[np.uint8]) -> Tensor:
        """Images uint8 (batch, height, width, 3) to normalised input in the model's dtype."""
        return self.config.normalization.apply(images, next(self.parameters()).dtype)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (batch, 3, height, width) to logits (batch, classes)."""
        logits: Tensor = self.head(self.backbone.forward_features(images))
        return logits


class NoHead(nn.Module):
    """Where a head would be: hands on the map of the last stage as it is."""

    def forward(self, features: list[Tensor]) -> Tensor:
        """Stage maps, (batch, h, w, C) each, to the last one."""
        return features[-1]


class Backbone(nn.Module):
    """A Swin transformer whose maps another program's head reads."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = SwinTransformer(config.backbone)
        self.head = NoHead()

    def to_input(self, images: npt.NDArray[np.uint8]) -> Tensor:
        """Images uint8 (batch, height, width, 3) to normalised input in the model's dtype."""
        return self.config.normalization.apply(images, next(self.parameters()).dtype)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (batch, 3, height, width) to the map of the last stage (batch, h, w, C)."""
        last: Tensor = self.head(self.backbone.forward_features(images))
        return last
