"""From pixels to the input of a user's model: per-channel mean and deviation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Normalization:
    """Model input is (pixel / 255 - mean) / deviation, channel by channel (red, green, blue)."""

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]

    def __post_init__(self) -> None:
        for name, values in (("mean", self.mean), ("deviation", self.deviation)):
            if len(values) != 3 or not all(math.isfinite(value) for value in values):
                raise ValueError(f"{name} {values} must be three finite numbers")
        if min(self.deviation) <= 0:
            raise ValueError(f"deviation {self.deviation} must be above 0")

    def apply(self, images: npt.NDArray[np.uint8], dtype: torch.dtype = torch.float32) -> Tensor:
        """Images uint8 (batch, height, width, 3) to model input (batch, 3, height, width)."""
        if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
            raise ValueError(f"images: uint8 (batch, height, width, 3) expected, got {images.dtype} {images.shape}")
        pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).to(dtype)
        mean, deviation = (torch.tensor(part, dtype=dtype).reshape(3, 1, 1) for part in (self.mean, self.deviation))
        return (pixels / 255 - mean) / deviation


IMAGENET = Normalization((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""What the published Swin checkpoints were trained with (torchvision, timm, Microsoft and Hugging Face alike)."""
