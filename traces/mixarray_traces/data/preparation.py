"""How a photograph becomes the input of a classifier: resized, and cut to a square from its centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from mixarray.errors import InputError


@dataclass(frozen=True, slots=True)
class Preparation:
    """The shorter side is resized to `resize` px (bicubic, antialiased), then the centre `crop` x `crop` px are taken.

    224 after 256 is what the published Swin-T, S and B are evaluated with (`crop / resize` = 0.875; timm's is 0.9).
    """

    crop: int = 224
    resize: int = 256

    def __post_init__(self) -> None:
        if self.crop < 1:
            raise InputError("preparation", f"{self.crop} px; at least 1", "crop")
        if self.resize < self.crop:
            raise InputError("preparation", f"{self.resize} px is below the crop of {self.crop} px", "resize")

    def apply(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """uint8 (height, width, 3) to uint8 (crop, crop, 3)."""
        height, width = pixels.shape[:2]
        shorter = min(height, width)
        size = [max(self.crop, (side * self.resize + shorter // 2) // shorter) for side in (width, height)]
        if size != [width, height]:
            pixels = np.asarray(Image.fromarray(pixels).resize((size[0], size[1]), Image.Resampling.BICUBIC))
        left, top = (size[0] - self.crop) // 2, (size[1] - self.crop) // 2
        return np.ascontiguousarray(pixels[top : top + self.crop, left : left + self.crop])
