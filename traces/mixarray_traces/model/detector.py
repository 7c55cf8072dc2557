"""The detector: a Swin backbone and an anchor-free head of Linear, LayerNorm and GELU only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from mixarray_traces.model.config import DetectorConfig
from mixarray_traces.model.swin import NORM_EPSILON, SwinTransformer, normalise

PIXEL_MEAN = 0.5
PIXEL_DEVIATION = 0.25
"""Model input is (pixel / 255 - mean) / deviation in every channel."""
PRIOR_SCORE = 0.02
"""Score that an untrained head gives to every class of every cell."""


class DetectionHead(nn.Module):
    """Joins the maps of the last two stages and predicts per cell: class logits and four log distances.

    `norm_fine`, `fine`: the last stage but one. `norm_coarse`, `coarse`: the last stage, repeated 2x2.
    Their sum goes through `norm`, `fc1`, GELU, `fc2`.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        stages = config.backbone.num_stages
        fine_dim, coarse_dim = config.backbone.stage_dim(stages - 2), config.backbone.stage_dim(stages - 1)
        self.norm_fine = nn.LayerNorm(fine_dim, eps=NORM_EPSILON)
        self.fine = nn.Linear(fine_dim, config.head_dim)
        self.norm_coarse = nn.LayerNorm(coarse_dim, eps=NORM_EPSILON)
        self.coarse = nn.Linear(coarse_dim, config.head_dim)
        self.norm = nn.LayerNorm(config.head_dim, eps=NORM_EPSILON)
        self.fc1 = nn.Linear(config.head_dim, config.head_hidden_dim)
        self.fc2 = nn.Linear(config.head_hidden_dim, config.num_classes + 4)
        for layer in (self.fine, self.coarse, self.fc1, self.fc2):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.fc2.bias[: config.num_classes] = float(np.log(PRIOR_SCORE / (1 - PRIOR_SCORE)))

    def forward(self, features: list[Tensor]) -> Tensor:
        """Stage maps, (batch, h, w, C) each, to (batch, h, w, classes + 4) on the grid of the last stage but one."""
        fine = self.fine(normalise(self.norm_fine, features[-2]))
        coarse = self.coarse(normalise(self.norm_coarse, features[-1]))
        joined = fine + repeat_2x2(coarse, fine.shape[1], fine.shape[2])
        hidden = functional.gelu(self.fc1(normalise(self.norm, joined)))
        out: Tensor = self.fc2(hidden)
        return out


class Detector(nn.Module):
    """Backbone and head; the output is decoded by `mixarray_traces.model.decode.decode`."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = SwinTransformer(config.backbone)
        self.head = DetectionHead(config)

    def to_input(self, images: npt.NDArray[np.uint8]) -> Tensor:
        """Images uint8 (batch, height, width, 3) to normalised input in the model's dtype."""
        return images_to_input(images, next(self.parameters()).dtype)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (batch, 3, height, width) to head output (batch, h, w, classes + 4)."""
        out: Tensor = self.head(self.backbone.forward_features(images))
        return out


def repeat_2x2(x: Tensor, height: int, width: int) -> Tensor:
    """Nearest-neighbour upsampling by two, cropped: (batch, ceil(h/2), ceil(w/2), C) to (batch, h, w, C)."""
    batch, rows, columns, channels = x.shape
    repeated = x[:, :, None, :, None, :].expand(batch, rows, 2, columns, 2, channels)
    return repeated.reshape(batch, 2 * rows, 2 * columns, channels)[:, :height, :width]


def images_to_input(images: npt.NDArray[np.uint8], dtype: torch.dtype = torch.float32) -> Tensor:
    """Images uint8 (batch, height, width, 3) to normalised model input (batch, 3, height, width)."""
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(f"images: uint8 (batch, height, width, 3) expected, got {images.dtype} {images.shape}")
    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).to(dtype)
    return (pixels / 255 - PIXEL_MEAN) / PIXEL_DEVIATION


def build_detector(config: DetectorConfig | None = None) -> Detector:
    """An untrained detector, initialised from torch's current random state; by default of the shipped shape."""
    return Detector(DetectorConfig() if config is None else config)


def load_detector(path: Path, config: DetectorConfig | None = None) -> Detector:
    """A trained detector in evaluation mode, float32.

    Args:
        path: .safetensors or .pt file with the detector's state dict.
        config: its shape; by default the shipped one.

    Raises:
        ValueError: the file is unreadable or does not fit; the message names the file and the keys.
    """
    from mixarray_traces.model.weights import load_into, read_state_dict

    detector = build_detector(config)
    load_into(detector, read_state_dict(path), str(path))
    return detector.eval()


def load_shipped_detector() -> Detector:
    """The shipped trained detector in evaluation mode, float32."""
    from mixarray_traces.shipped import shipped_path

    return load_detector(shipped_path("detector.safetensors"))
