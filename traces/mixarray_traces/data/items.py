"""Fashion-MNIST items: 2,000 test items are shipped, the full set comes from a Debian package."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from mixarray_traces.shipped import shipped_path

CLASS_NAMES = (
    "t-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
ITEM_PX = 28
"""Side of a Fashion-MNIST image."""
FULL_SET_FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where the Debian package `dataset-fashion-mnist` puts its four files."""
HELD_OUT_ITEMS = 5000
"""Training items, the last ones of the official order, kept for the validation split."""
SPRITE_COLUMNS = 50
SPRITE_ITEMS_PER_CLASS = 200
_IDX_IMAGES = 0x00000803
_IDX_LABELS = 0x00000801
_FOREGROUND_MIN = 16


class Split(Enum):
    """Which items and which photographs a canvas is made of. The value enters the seed: never renumber."""

    TRAIN = 0
    """Training items without the held-out ones, on training photographs."""
    VALIDATION = 1
    """Held-out training items, on training photographs: for choices such as the importance score."""
    TEST = 2
    """Shipped test items, on test photographs: for the reported accuracy only."""


@dataclass(frozen=True)
class ItemSet:
    """Items with their labels and tight bounds.

    Attributes:
        images: uint8 (n, 28, 28), black background.
        labels: int64 (n,), 0 to 9, index into `CLASS_NAMES`.
        bounds: int64 (n, 4): first row, first column, end row, end column of the foreground.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]


def load_items(split: Split, folder: Path = FULL_SET_FOLDER) -> ItemSet:
    """Items of one split.

    Args:
        split: the test split reads the shipped sprite, the two others read `folder`.
        folder: the folder with the four Fashion-MNIST files.

    Raises:
        FileNotFoundError: the full set is not installed; the message says how to install it.
        ValueError: a file is damaged; the message names it.
    """
    if split is Split.TEST:
        return _with_bounds(*read_sprite(shipped_path("items_test.webp")))
    images, labels = read_full_set(folder, "train")
    first_held_out = len(images) - HELD_OUT_ITEMS
    chosen = slice(0, first_held_out) if split is Split.TRAIN else slice(first_held_out, None)
    return _with_bounds(images[chosen], labels[chosen])


def read_full_set(folder: Path, part: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (n, 28, 28) and labels (n,) of one official part, `train` or `t10k`."""
    image_file = folder / f"{part}-images-idx3-ubyte.gz"
    label_file = folder / f"{part}-labels-idx1-ubyte.gz"
    for file in (image_file, label_file):
        if not file.is_file():
            raise FileNotFoundError(
                f"{file}: the full Fashion-MNIST set is not installed: apt-get install dataset-fashion-mnist"
            )
    images = _read_idx(image_file, _IDX_IMAGES).reshape(-1, ITEM_PX, ITEM_PX)
    labels = _read_idx(label_file, _IDX_LABELS).astype(np.int64)
    if len(images) != len(labels):
        raise ValueError(f"{label_file}: {len(labels)} labels for {len(images)} images")
    return images, labels


def read_sprite(file: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images and labels of the shipped sprite: 50 items a row, 200 items of class 0, then 200 of class 1, and so on."""
    try:
        with Image.open(file) as sprite:
            pixels = np.asarray(sprite.convert("L"), dtype=np.uint8)
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(f"{file}: cannot be read as an image: {error}") from error
    rows, columns = pixels.shape[0] // ITEM_PX, pixels.shape[1] // ITEM_PX
    labels = np.repeat(np.arange(len(CLASS_NAMES), dtype=np.int64), SPRITE_ITEMS_PER_CLASS)
    if columns != SPRITE_COLUMNS or rows * columns != len(labels):
        raise ValueError(f"{file}: {pixels.shape[1]}x{pixels.shape[0]} px is not a sprite of {len(labels)} items")
    tiles = pixels.reshape(rows, ITEM_PX, columns, ITEM_PX).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(tiles).reshape(-1, ITEM_PX, ITEM_PX), labels


def write_sprite(file: Path, folder: Path = FULL_SET_FOLDER) -> None:
    """Make the shipped sprite: the first 200 test items of each class in official order, lossless WebP."""
    images, labels = read_full_set(folder, "t10k")
    first = [np.flatnonzero(labels == kind)[:SPRITE_ITEMS_PER_CLASS] for kind in range(len(CLASS_NAMES))]
    tiles = images[np.concatenate(first)].reshape(-1, SPRITE_COLUMNS, ITEM_PX, ITEM_PX)
    pixels = tiles.transpose(0, 2, 1, 3).reshape(-1, SPRITE_COLUMNS * ITEM_PX)
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, lossless=True, quality=100, method=6)


def _read_idx(file: Path, magic: int) -> npt.NDArray[np.uint8]:
    try:
        content = gzip.decompress(file.read_bytes())
    except (OSError, EOFError) as error:
        raise ValueError(f"{file}: not a gzip file: {error}") from error
    header_bytes = 16 if magic == _IDX_IMAGES else 8
    counts = np.frombuffer(content[:header_bytes], dtype=">u4")
    expected = int(np.prod(counts[1:], dtype=np.int64)) if len(content) >= header_bytes else -1
    if expected < 0 or counts[0] != magic or len(content) - header_bytes != expected:
        raise ValueError(f"{file}: not a Fashion-MNIST idx file")
    return np.frombuffer(content, dtype=np.uint8, offset=header_bytes)


def _with_bounds(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> ItemSet:
    foreground = np.asarray(images >= _FOREGROUND_MIN)
    kept = np.asarray(foreground.any(axis=(1, 2)))
    images, labels, foreground = images[kept], labels[kept], foreground[kept]
    bounds = np.stack(list(_spans(foreground)), axis=1)
    return ItemSet(images=images, labels=labels, bounds=bounds)


def _spans(foreground: npt.NDArray[np.bool_]) -> Iterator[npt.NDArray[np.int64]]:
    rows, columns = np.asarray(foreground.any(axis=2)), np.asarray(foreground.any(axis=1))
    yield np.argmax(rows, axis=1)
    yield np.argmax(columns, axis=1)
    yield ITEM_PX - np.argmax(rows[:, ::-1], axis=1)
    yield ITEM_PX - np.argmax(columns[:, ::-1], axis=1)
