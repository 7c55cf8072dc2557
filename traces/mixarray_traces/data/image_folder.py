"""A folder of labelled photographs: one folder per class, numbered in the order of their names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mixarray.errors import InputError
from mixarray_traces.data.drawing import draw_numbers
from mixarray_traces.data.images import load_image
from mixarray_traces.data.preparation import Preparation

SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"))
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
    """List a folder per class, with the folders inside it; InputError where there is none, or no photograph in a class.

    Class number i is the i-th folder by name, as in torchvision's ImageFolder: ImageNet's folders give its usual order.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise InputError(str(folder), "is no directory with a folder per class")
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not classes:
        raise InputError(str(folder), "holds no folder; one folder per class is expected")
    files: list[LabelledFile] = []
    for label, one in enumerate(classes):
        found = _photographs(one)
        if not found:
            raise InputError(str(one), f"holds no photograph ({', '.join(sorted(SUFFIXES))})")
        files += [LabelledFile(path, label) for path in found]
    return ImageFolder(folder, tuple(one.name for one in classes), tuple(files), preparation or Preparation())


def _photographs(folder: Path) -> list[Path]:
    """All below a folder, by name, folder by folder; hidden files and folders are left alone."""
    found: list[Path] = []
    for root, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        chosen = (name for name in sorted(names) if not name.startswith("."))
        found += [Path(root, name) for name in chosen if Path(name).suffix.lower() in SUFFIXES]
    return found
