"""The assignment layer: one row per (image, stage, grid, block, window)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixarray.errors import InputError
from mixarray.trace.model import Grid

Integers = NDArray[np.int64]

GRID_CODE = {Grid.REGULAR: 0, Grid.SHIFTED: 1}


@dataclass(frozen=True, slots=True)
class WindowTable:
    """Columns of equal length. `image` indexes the manifest's images; `grid` is 0 (regular) or 1 (shifted).

    score: importance, higher is more important. rank: 0 is the most important window of its block. bits: activation
    bits the window ran at, 0 = pruned. tokens: real (not padded) tokens of the window.
    """

    image: Integers
    stage: Integers
    grid: Integers
    block: Integers
    window: Integers
    score: NDArray[np.float64]
    rank: Integers
    bits: Integers
    tokens: Integers

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.image)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Columns by name, in order, as int64 and float64."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: np.asarray(c, np.float64 if name == "score" else np.int64) for name, c in named}

    def blocks(self) -> Iterator[tuple[tuple[int, int, int], NDArray[np.intp]]]:
        """((image, stage, block), row numbers) of every block of every image, in sorted order."""
        keys = np.stack([self.image, self.stage, self.block], axis=1)
        unique, inverse = np.unique(keys, axis=0, return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        ends = np.cumsum(np.bincount(inverse.ravel(), minlength=len(unique)))
        for key, rows in zip(unique, np.split(order, ends[:-1]), strict=True):
            yield (int(key[0]), int(key[1]), int(key[2])), rows


def check_windows(table: WindowTable, images: int, allowed_bits: tuple[int, ...], where: str) -> None:
    """Raise InputError unless the table is whole.

    Equal column lengths, finite scores, known images, grids and bits, and per block: one grid, and windows and ranks
    that are permutations of 0 .. windows-1.
    """
    columns = table.columns()
    if len({len(column) for column in columns.values()}) != 1:
        raise InputError(where, "columns differ in length")
    if table.rows == 0:
        raise InputError(where, "has no rows")
    allowed = {"grid": (0, 1), "bits": (0, *sorted(allowed_bits)), "image": tuple(range(images))}
    for name, values in allowed.items():
        wrong = ~np.isin(columns[name], values)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            shown = ", ".join(map(str, values[:8])) + (" ..." if len(values) > 8 else "")
            raise InputError(where, f"row {row} has {columns[name][row]}; allowed: {shown}", name)
    if not np.isfinite(columns["score"]).all():
        row = int(np.flatnonzero(~np.isfinite(columns["score"]))[0])
        raise InputError(where, f"row {row} is {columns['score'][row]}, not a finite number", "score")
    if (columns["tokens"] < 0).any():
        raise InputError(where, "a window has fewer than 0 tokens", "tokens")
    for (image, stage, block), rows in table.blocks():
        _check_block(columns, rows, f"image {image}, stage {stage}, block {block}", where)


def _check_block(columns: dict[str, NDArray[Any]], rows: NDArray[np.intp], place: str, where: str) -> None:
    expected = np.arange(len(rows))
    for name in ("window", "rank"):
        if not np.array_equal(np.sort(columns[name][rows]), expected):
            raise InputError(where, f"{place}: is no permutation of 0..{len(rows) - 1}", name)
    if len(np.unique(columns["grid"][rows])) != 1:
        raise InputError(where, f"{place}: more than one grid", "grid")
