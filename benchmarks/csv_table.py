"""Options of the benchmarks, and their CSV file: asked for before the measurement, there when it is complete."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from mixarray.atomic import atomic_file

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def positive(text: str) -> int:
    """An integer from 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no integer from 1")
    return int(text)


def new_file(text: str) -> Path:
    """A file that can be written, checked by writing beside it: the measurement takes minutes."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} cannot be written: Is a directory")
    try:
        with TemporaryFile(dir=path.parent):
            return path
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be written: {error.strerror}") from None


def write_csv(rows: Sequence[DataclassInstance], path: Path) -> None:
    """A line per row under the names of their fields; the file appears complete or not at all."""
    with atomic_file(path) as work, work.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(rows[0])], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
