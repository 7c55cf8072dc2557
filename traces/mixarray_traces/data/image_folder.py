"""A folder of labelled photographs: one folder per class, numbered in the order of their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mixarray.errors import InputError
from mixarray_traces.data.drawing import draw_numbers
from mixarray_traces.data.images import load_image
from mixarray_traces.data.preparation import Preparation

SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"))
"""Files taken for images, whatever the case of their letters; others (a list, a hidden file) are left alone."""


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A photograph and the number of its class."""

    path: Path
    label: int


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """Labelled photographs, class by class in the order of their names, and how they are prepared."""

    root: Path
    classes: tuple[str, ...]
    files: tuple[LabelledFile, ...]
    preparation: Preparation

    def image(self, index: int) -> npt.NDArray[np.uint8]:
        """Photograph number `index`, prepared, uint8 (crop, crop, 3); InputError where it cannot be read."""
        path = self.files[index].path
        try:
            return self.preparation.apply(load_image(path))
        except ValueError as error:
            raise InputError(str(path), str(error).removeprefix(f"{path}: ")) from None

    def name(self, index: int) -> str:
        """`class/file`, which no two photographs share."""
        return self.files[index].path.relative_to(self.root).as_posix()

    def sample(self, count: int, seed: int) -> tuple[int, ...]:
        """`count` different photographs, drawn by the seed, rising; InputError where there are fewer."""
        return draw_numbers(len(self.files), count, seed, str(self.root))

    def check_classes(self, expected: int) -> None:
        """InputError unless there are as many classes as the model has outputs."""
        if len(self.classes) != expected:
            message = f"has {len(self.classes)} class folders; the model has {expected} classes, in the same order"
            raise InputError(str(self.root), message)


def open_image_folder(root: Path | str, preparation: Preparation | None = None) -> ImageFolder:
    """List a folder per class; InputError where there is none, or a class without a photograph.

    Class number i is the i-th folder by name, as in torchvision's ImageFolder: ImageNet's folders give its usual order.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise InputError(str(folder), "is no directory with a folder per class")
    classes = _visible(folder, directories=True)
    if not classes:
        raise InputError(str(folder), "holds no folder; one folder per class is expected")
    files: list[LabelledFile] = []
    for label, one in enumerate(classes):
        found = [path for path in _visible(one, directories=False) if path.suffix.lower() in SUFFIXES]
        if not found:
            raise InputError(str(one), f"holds no photograph ({', '.join(sorted(SUFFIXES))})")
        files += [LabelledFile(path, label) for path in found]
    return ImageFolder(folder, tuple(one.name for one in classes), tuple(files), preparation or Preparation())


def _visible(folder: Path, directories: bool) -> Sequence[Path]:
    found = (path for path in folder.iterdir() if path.is_dir() == directories and not path.name.startswith("."))
    return sorted(found, key=lambda path: path.name)
