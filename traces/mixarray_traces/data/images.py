"""Reading images from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

EIGHT_BIT_MODES = frozenset(
    ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "La", "CMYK", "YCbCr", "LAB", "HSV")
)
"""Pillow's modes of at most 8 bits a channel; 16-bit and float pixels would be clipped without a word."""


def load_image(path: Path) -> npt.NDArray[np.uint8]:
    """Read an image file as RGB.

    Args:
        path: any file that Pillow can decode.

    Returns:
        uint8 array of shape (height, width, 3).

    Raises:
        ValueError: the file is missing, unreadable, truncated or not an image; the message names it.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in EIGHT_BIT_MODES:
                raise ValueError(f"pixels of mode {image.mode} are not 8 bits a channel; convert the image first")
            if image.mode == "P" and "transparency" in image.info:
                image.apply_transparency()
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
    except UnidentifiedImageError as error:
        raise ValueError(f"{path}: cannot be read as an image: it is of no known kind") from error
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ValueError(f"{path}: cannot be read as an image: {reason}") from error
