"""Photographs annotated in COCO's json (Lin et al., ECCV 2014): images, annotations, categories.

A box is [x, y, width, height] in px. Crowd annotations (`iscrowd` 1) and boxes without area are left out, so a
detection on a crowd counts as wrong here, where pycocotools would not count it at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mixarray.errors import InputError
from mixarray_traces.data.canvas import Canvas
from mixarray_traces.data.drawing import draw_numbers
from mixarray_traces.data.images import load_image
from mixarray_traces.json_file import read_json


@dataclass(frozen=True)
class CocoImage:
    """One photograph with its objects: boxes float32 (n, 4) x0 y0 x1 y1 in px, labels int64 (n,)."""

    path: Path
    height: int
    width: int
    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class CocoImages:
    """All photographs of a file, in the order of their ids; class number i is the i-th category by id."""

    file: Path
    classes: tuple[str, ...]
    images: tuple[CocoImage, ...]

    def canvas(self, index: int) -> Canvas:
        """Photograph number `index` with its objects; InputError where it is unreadable or of another size."""
        image = self.images[index]
        try:
            pixels = load_image(image.path)
        except ValueError as error:
            raise InputError(str(image.path), str(error).removeprefix(f"{image.path}: ")) from None
        if pixels.shape[:2] != (image.height, image.width):
            found = "x".join(map(str, pixels.shape[:2]))
            raise InputError(str(image.path), f"is {found} px; {self.file} says {image.height}x{image.width}")
        return Canvas(pixels, image.boxes, image.labels)

    def name(self, index: int) -> str:
        """The photograph's file name, as the json gives it."""
        return self.images[index].path.name

    def sample(self, count: int, seed: int) -> tuple[int, ...]:
        """`count` different photographs, drawn by the seed, rising; InputError where there are fewer."""
        return draw_numbers(len(self.images), count, seed, str(self.file))

    def check_classes(self, expected: int) -> None:
        """InputError unless there are as many categories as the model has classes."""
        if len(self.classes) != expected:
            message = f"has {len(self.classes)}; the model has {expected} classes, in the order of the categories' ids"
            raise InputError(str(self.file), message, "categories")


def open_coco(file: Path | str, image_dir: Path | str) -> CocoImages:
    """Read an annotation file; InputError, with the field, for whatever is missing or makes no sense."""
    path, where = Path(file), str(file)
    content = read_json(path, "with images, annotations and categories")
    categories = _by_id(where, content, "categories")
    numbers = {key: number for number, key in enumerate(categories)}
    images = _by_id(where, content, "images")
    if not categories or not images:
        raise InputError(where, "is empty", "images" if categories else "categories")
    boxes: dict[int, list[tuple[float, float, float, float]]] = {key: [] for key in images}
    labels: dict[int, list[int]] = {key: [] for key in images}
    for place, entry in enumerate(_entries(where, content, "annotations")):
        field = f"annotations.{place}"
        image, category = _known(where, field, entry, "image_id", images), _number(where, field, entry, "category_id")
        if category not in numbers:
            raise InputError(where, f"{category} is no category", f"{field}.category_id")
        box = _box(where, f"{field}.bbox", entry)
        if entry.get("iscrowd", 0) == 0 and box[2] > box[0] and box[3] > box[1]:
            boxes[image].append(box)
            labels[image].append(numbers[category])
    found = tuple(
        CocoImage(
            path=Path(image_dir) / _text(where, f"images.{key}", entry, "file_name"),
            height=_number(where, f"images.{key}", entry, "height"),
            width=_number(where, f"images.{key}", entry, "width"),
            boxes=np.array(boxes[key], dtype=np.float32).reshape(-1, 4),
            labels=np.array(labels[key], dtype=np.int64),
        )
        for key, entry in images.items()
    )
    names = tuple(_text(where, f"categories.{key}", entry, "name") for key, entry in categories.items())
    return CocoImages(path, names, found)


def _entries(where: str, content: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    found = content.get(field)
    if not isinstance(found, list):
        raise InputError(where, "is missing or no list", field)
    for place, entry in enumerate(found):
        if not isinstance(entry, dict):
            raise InputError(where, "is no object", f"{field}.{place}")
    return found


def _by_id(where: str, content: Mapping[str, Any], field: str) -> dict[int, Mapping[str, Any]]:
    """The entries by their ids, rising; InputError for an id that is missing or stands twice."""
    found: dict[int, Mapping[str, Any]] = {}
    for place, entry in enumerate(_entries(where, content, field)):
        number = _number(where, f"{field}.{place}", entry, "id")
        if number in found:
            raise InputError(where, f"{number} stands twice", f"{field}.{place}.id")
        found[number] = entry
    return dict(sorted(found.items()))


def _known(where: str, field: str, entry: Mapping[str, Any], key: str, images: Mapping[int, object]) -> int:
    number = _number(where, field, entry, key)
    if number not in images:
        raise InputError(where, f"{number} is no image", f"{field}.{key}")
    return number


def _number(where: str, field: str, entry: Mapping[str, Any], key: str) -> int:
    value = entry.get(key)
    if type(value) is not int or value < 0:
        raise InputError(where, f"{value!r} is no whole number from 0", f"{field}.{key}")
    return value


def _text(where: str, field: str, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise InputError(where, f"{value!r} is no text", f"{field}.{key}")
    return value


def _box(where: str, field: str, entry: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """[x, y, width, height] as x0 y0 x1 y1."""
    found = entry.get("bbox")
    numbers = isinstance(found, list) and all(type(side) in (int, float) and math.isfinite(side) for side in found)
    if not isinstance(found, list) or not numbers or len(found) != 4:
        raise InputError(where, f"{found!r} is not [x, y, width, height] in numbers", field)
    x, y, width, height = found
    if width < 0 or height < 0:
        raise InputError(where, f"{found!r} has a negative side", field)
    return x, y, x + width, y + height
