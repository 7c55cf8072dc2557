"""Background photographs: public domain or CC0, disjoint between training and test (see DATA_LICENSES.md)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mixarray_traces.data.images import load_image
from mixarray_traces.data.items import Split
from mixarray_traces.shipped import shipped_path

BACKGROUND_NAMES = {
    "train": ("astronaut", "camera", "clock", "coffee", "grass"),
    "test": ("brick", "chelsea", "gravel", "rocket"),
}
"""Photographs by folder, in the order in which the generator numbers them."""


def load_backgrounds(split: Split) -> tuple[npt.NDArray[np.uint8], ...]:
    """Photographs of a split, uint8 (height, width, 3) each. The validation split uses the training photographs."""
    part = "test" if split is Split.TEST else "train"
    folder = shipped_path("backgrounds") / part
    return tuple(load_image(folder / f"{name}.webp") for name in BACKGROUND_NAMES[part])


def crop_mirrored(photo: npt.NDArray[np.uint8], top: int, left: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    """A (height, width, 3) crop of a photograph that continues beyond its edges as its mirror image."""
    rows = _mirrored(np.arange(top, top + height), photo.shape[0])
    columns = _mirrored(np.arange(left, left + width), photo.shape[1])
    return photo[rows[:, None], columns[None, :]]


def _mirrored(index: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.int64]:
    folded = index % (2 * length)
    return np.minimum(folded, 2 * length - 1 - folded)
