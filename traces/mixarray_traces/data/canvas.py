"""The frozen generator of detection canvases: Fashion-MNIST items on photographs, synthetic layout.

All pixel arithmetic is on integers, so a canvas is the same bytes on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mixarray_traces.data.backgrounds import crop_mirrored, load_backgrounds
from mixarray_traces.data.items import ItemSet, Split, load_items

GENERATOR_VERSION = 1
"""Raised whenever any canvas changes; recorded with every trained model and every accuracy."""
MIN_ITEM_PX = 16
MAX_ITEM_PX = 28
"""Longer side of an item, at every canvas size."""
MAX_ITEMS_PER_TILE = 5
TILE_PX = 128
"""1 to 5 items are drawn per 128x128 px of canvas."""
MAX_OVERLAP_PERCENT = 40
"""Largest share of the smaller of two boxes that the other may cover; else another place is tried."""
_PLACES_TRIED = 8
_OPAQUE_FROM = 128
_WEIGHT_ONE = 64
_DRAWS_PER_ITEM = 10 + 2 * _PLACES_TRIED


@dataclass(frozen=True)
class Canvas:
    """One image with its exact annotation.

    Attributes:
        image: uint8 (size, size, 3), RGB.
        boxes: float32 (n, 4), x0 y0 x1 y1 in px, of all opaque pixels of the item, covered ones included.
        labels: int64 (n,).
        crowd_boxes: float32 (k, 4), of groups annotated as one; none on drawn canvases.
        crowd_labels: int64 (k,).
    """

    image: npt.NDArray[np.uint8]
    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    crowd_boxes: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    crowd_labels: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class CanvasSource:
    """What the canvases of one split are drawn from; load once, draw many."""

    split: Split
    items: ItemSet
    photos: tuple[npt.NDArray[np.uint8], ...]

    def draw(self, seed: int, index: int, size: int) -> Canvas:
        """Canvas number `index` of the stream `seed`, `size` x `size` px."""
        return _draw(self, np.random.default_rng(np.random.SeedSequence((self.split.value, seed, index))), size)


def open_source(split: Split) -> CanvasSource:
    """Load the items and photographs of a split.

    Raises:
        FileNotFoundError: the training or validation split is asked for and the full item set is not installed.
    """
    return CanvasSource(split=split, items=load_items(split), photos=load_backgrounds(split))


def draw_canvas(split: Split, seed: int, index: int, size: int) -> Canvas:
    """Draw one canvas; for many, `open_source(split).draw` reads the files only once.

    Args:
        split: items and photographs used.
        seed: the stream; 0 or more.
        index: number of the canvas in the stream; 0 or more.
        size: side in px; 32 or more.

    Raises:
        ValueError: a negative seed or index, or a canvas smaller than an item.
    """
    return open_source(split).draw(seed, index, size)


def _draw(source: CanvasSource, rng: np.random.Generator, size: int) -> Canvas:
    if size < MAX_ITEM_PX + 4:
        raise ValueError(f"canvas of {size} px: at least {MAX_ITEM_PX + 4} px are needed")
    image = _background(source.photos, rng, size)
    boxes: list[tuple[int, int, int, int]] = []
    labels: list[int] = []
    draws = rng.integers(0, 2**31, size=(_item_count(rng, size), _DRAWS_PER_ITEM)).tolist()
    for numbers in draws:
        choice = numbers[0] % len(source.items.labels)
        values, alpha = _resized_item(source.items, choice, MIN_ITEM_PX + numbers[1] % (MAX_ITEM_PX - MIN_ITEM_PX + 1))
        if not (alpha >= _OPAQUE_FROM).any():
            continue
        place = _free_place(alpha.shape, numbers[10:], boxes, size)
        if place is None:
            continue
        _paste(image, values, alpha, place, numbers[2:10])
        boxes.append(_opaque_box(alpha, place))
        labels.append(int(source.items.labels[choice]))
    return Canvas(
        image=image,
        boxes=np.array(boxes, dtype=np.float32).reshape(-1, 4),
        labels=np.array(labels, dtype=np.int64),
    )


def _item_count(rng: np.random.Generator, size: int) -> int:
    """Mean of 1 to 5 per 128x128 px, rounded at random, at least one."""
    tiles = -(-size * size // TILE_PX**2)
    drawn = int(rng.integers(1, MAX_ITEMS_PER_TILE + 1, size=tiles).sum())
    scaled = drawn * size * size
    unit = tiles * TILE_PX**2
    return max(1, (scaled + int(rng.integers(0, unit))) // unit)


def _background(
    photos: tuple[npt.NDArray[np.uint8], ...], rng: np.random.Generator, size: int
) -> npt.NDArray[np.uint8]:
    """A crop, mirrored at random, dimmed by 0.50 to 1.00 and tinted by 0.80 to 1.00 per channel."""
    numbers = rng.integers(0, 2**31, size=10).tolist()
    photo = photos[numbers[0] % len(photos)]
    height, width = photo.shape[:2]
    top = numbers[1] % (height - size + 1 if height >= size else 2 * height)
    left = numbers[2] % (width - size + 1 if width >= size else 2 * width)
    crop = crop_mirrored(photo, top, left, size, size)
    crop = crop[:: 1 - 2 * (numbers[3] % 2), :: 1 - 2 * (numbers[4] % 2)]
    dim = 128 + numbers[5] % 129
    gain = np.array([dim * (205 + number % 52) // 256 for number in numbers[6:9]], dtype=np.uint16)
    return ((crop * gain) >> 8).astype(np.uint8)


def _resized_item(items: ItemSet, choice: int, longer_px: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Grey values and opacity (0..255) of one item whose longer side is `longer_px`."""
    top, left, bottom, right = items.bounds[choice].tolist()
    height, width = bottom - top, right - left
    longer = max(height, width)
    new_height = max(4, (2 * height * longer_px + longer) // (2 * longer))
    new_width = max(4, (2 * width * longer_px + longer) // (2 * longer))
    grey = items.images[choice, top:bottom, left:right].astype(np.int32)
    scaled: npt.NDArray[np.int32] = _resize_weights(height, new_height) @ grey @ _resize_weights(width, new_width).T
    values = (scaled + _WEIGHT_ONE**2 // 2) // _WEIGHT_ONE**2
    alpha: npt.NDArray[np.int32] = np.minimum(values * 6, 255)
    return values, alpha


@lru_cache(maxsize=2048)
def _resize_weights(old: int, new: int) -> npt.NDArray[np.int32]:
    """Triangle-filter resampling matrix (new, old) whose integer rows sum to 64."""
    reach = max(1.0, old / new)
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    weights = np.maximum(0.0, 1.0 - np.abs(np.arange(old)[None, :] - centres[:, None]) / reach)
    whole: npt.NDArray[np.int32] = np.floor(weights * (_WEIGHT_ONE / weights.sum(axis=1, keepdims=True)) + 1e-6).astype(
        np.int32
    )
    whole[np.arange(new), weights.argmax(axis=1)] += _WEIGHT_ONE - whole.sum(axis=1, dtype=np.int32)
    whole.setflags(write=False)
    return whole


def _free_place(
    shape: tuple[int, ...], numbers: list[int], boxes: list[tuple[int, int, int, int]], size: int
) -> tuple[int, int] | None:
    """First of eight uniform places (top, left) where no two items cover each other too much."""
    height, width = shape
    for attempt in range(_PLACES_TRIED):
        top = numbers[2 * attempt] % (size - height + 1)
        left = numbers[2 * attempt + 1] % (size - width + 1)
        if all(_overlap_percent((left, top, left + width, top + height), box) <= MAX_OVERLAP_PERCENT for box in boxes):
            return top, left
    return None


def _overlap_percent(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> int:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return 100 * width * height // min(areas)


def _paste(
    image: npt.NDArray[np.uint8],
    values: npt.NDArray[np.int32],
    alpha: npt.NDArray[np.int32],
    place: tuple[int, int],
    numbers: list[int],
) -> None:
    """Blend an item in: dark end 0..63, bright end 160..255, both tinted per channel by 0.70 to 1.00."""
    tint = [179 + number % 78 for number in numbers[:3]]
    dark, bright = numbers[3] % 64, 160 + numbers[4] % 96
    region = image[place[0] : place[0] + values.shape[0], place[1] : place[1] + values.shape[1]]
    grey = dark + values * (bright - dark) // 255
    colour = grey[:, :, None] * np.array(tint, dtype=np.int32) >> 8
    opacity = alpha[:, :, None]
    region[...] = (colour * opacity + region * (255 - opacity) + 127) // 255


def _opaque_box(alpha: npt.NDArray[np.int32], place: tuple[int, int]) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1 of the opaque pixels, in canvas px."""
    rows = np.flatnonzero((alpha >= _OPAQUE_FROM).any(axis=1))
    columns = np.flatnonzero((alpha >= _OPAQUE_FROM).any(axis=0))
    top, left = place
    return left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1
