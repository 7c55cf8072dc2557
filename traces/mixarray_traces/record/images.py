"""What is recorded: the user's images, or canvases of the generator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mixarray.errors import InputError
from mixarray_traces.data.canvas import open_source
from mixarray_traces.data.images import load_image
from mixarray_traces.data.items import Split


@dataclass(frozen=True, slots=True)
class RecordImage:
    """An image to record: uint8 pixels (height, width, 3); boxes (n, 4) x0 y0 x1 y1 in px where they are known."""

    name: str
    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32] | None = None


def canvas_images(n: int, size: int, split: Split = Split.TEST, seed: int = 0) -> list[RecordImage]:
    """The first n canvases of a stream, size x size px."""
    source = open_source(split)
    drawn = ((index, source.draw(seed, index, size)) for index in range(n))
    return [RecordImage(f"{split.name.lower()}-{seed}-{index}", canvas.image, canvas.boxes) for index, canvas in drawn]


def read_image(path: Path | str) -> RecordImage:
    """An image file at its own size; InputError if it cannot be read."""
    try:
        return RecordImage(Path(path).name, load_image(Path(path)))
    except ValueError as error:
        raise InputError(str(path), str(error).removeprefix(f"{path}: ")) from None
