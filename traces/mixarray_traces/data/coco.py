"""Photographs annotated in COCO's json (Lin et al., ECCV 2014): images, annotations, categories.

A box is [x, y, width, height] in px. Annotations of crowds (`iscrowd` 1) are no objects: a detection on one is neither
right nor wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

LARGEST_PX = 1e6
"""No side or place of a box is larger; what is comes from a broken file."""


@dataclass(frozen=True)
class Annotated:
    """Annotated boxes float32 (n, 4) x0 y0 x1 y1 in px, and their labels int64 (n,)."""

    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class CocoImage:
    """One photograph with its objects and its crowds; `name` is its file name as the json gives it."""

    path: Path
    name: str
    height: int
    width: int
    objects: Annotated
    crowds: Annotated


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
        objects, crowds = image.objects, image.crowds
        return Canvas(pixels, objects.boxes, objects.labels, crowds.boxes, crowds.labels)

    def name(self, index: int) -> str:
        """The photograph's file name, as the json gives it."""
        return self.images[index].name

    def sample(self, count: int, seed: int) -> tuple[int, ...]:
        """`count` different photographs, drawn by the seed, rising; InputError where there are fewer."""
        return draw_numbers(len(self.images), count, seed, str(self.file))

    def check_classes(self, expected: int) -> None:
        """InputError unless there are as many categories as the model has classes."""
        if len(self.classes) != expected:
            message = f"has {len(self.classes)}; the model has {expected} classes, in the order of the categories' ids"
            raise InputError(str(self.file), message, "categories")

    def check_files(self, numbers: Sequence[int]) -> None:
        """InputError where files of these photographs are missing: before a long run, not within it."""
        missing = [self.images[index].path for index in numbers if not self.images[index].path.is_file()]
        if missing:
            message = f"{len(missing)} of {len(numbers)} photographs are missing, such as {missing[0]}"
            raise InputError(str(self.file), message, "images")


_Labelled = tuple[tuple[float, float, float, float], int]
"""A box, and the number of its class."""


def open_coco(file: Path | str, image_dir: Path | str) -> CocoImages:
    """Read an annotation file; InputError, with the field, for whatever is missing or makes no sense."""
    path, where = Path(file), str(file)
    content = read_json(path, "with images, annotations and categories")
    categories = _by_id(where, content, "categories")
    numbers = {key: number for number, key in enumerate(categories)}
    images = _by_id(where, content, "images")
    if not categories or not images:
        raise InputError(where, "is empty", "images" if categories else "categories")
    objects: dict[int, list[_Labelled]] = {key: [] for key in images}
    crowds: dict[int, list[_Labelled]] = {key: [] for key in images}
    for place, entry in enumerate(_entries(where, content, "annotations")):
        field = f"annotations.{place}"
        image, category = _known(where, field, entry, "image_id", images), _number(where, field, entry, "category_id")
        if category not in numbers:
            raise InputError(where, f"{category} is no category", f"{field}.category_id")
        kind = crowds if _is_crowd(where, field, entry) else objects
        kind[image].append((_box(where, f"{field}.bbox", entry), numbers[category]))
    found = []
    for key, entry in images.items():
        field = f"images.{key}"
        name = _text(where, field, entry, "file_name")
        height, width = (_number(where, field, entry, side) for side in ("height", "width"))
        parts = _annotated(objects[key]), _annotated(crowds[key])
        found.append(CocoImage(Path(image_dir) / name, name, height, width, *parts))
    names = tuple(_text(where, f"categories.{key}", entry, "name") for key, entry in categories.items())
    return CocoImages(path, names, tuple(found))


def _annotated(found: list[_Labelled]) -> Annotated:
    boxes = np.array([box for box, _ in found], dtype=np.float32).reshape(-1, 4)
    return Annotated(boxes, np.array([label for _, label in found], dtype=np.int64))


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
    """A whole number from 0; 3.0, as tables write a column of numbers, is one."""
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf") or value % 1:
        raise InputError(where, f"{value!r} is no whole number from 0", f"{field}.{key}")
    return int(value)


def _is_crowd(where: str, field: str, entry: Mapping[str, Any]) -> bool:
    value = entry.get("iscrowd", 0)
    if value not in (0, 1):
        raise InputError(where, f"{value!r} is neither 0 nor 1", f"{field}.iscrowd")
    return bool(value)


def _text(where: str, field: str, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise InputError(where, f"{value!r} is no text", f"{field}.{key}")
    return value


def _box(where: str, field: str, entry: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """[x, y, width, height] as x0 y0 x1 y1."""
    found = entry.get("bbox")
    numbers = isinstance(found, list) and all(type(one) in (int, float) and abs(one) <= LARGEST_PX for one in found)
    if not isinstance(found, list) or not numbers or len(found) != 4:
        message = f"{found!r} is not [x, y, width, height] in numbers up to {LARGEST_PX:,.0f}"
        raise InputError(where, message, field)
    x, y, width, height = found
    if width < 0 or height < 0:
        raise InputError(where, f"{found!r} has a negative side", field)
    return x, y, x + width, y + height
