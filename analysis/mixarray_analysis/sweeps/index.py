"""What finished rows there are, by their hashes, and where each lies: 80 bytes a row, whatever its columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mixarray.errors import InputError
from mixarray_analysis.sweeps.points import DIGEST_BYTES

GROUPS_KEPT = 4
Digests = NDArray[np.bytes_]
"""Hashes as raw bytes; all zero stands for none."""
NO_DIGEST = bytes(DIGEST_BYTES)


def digests(raw: bytes) -> Digests:
    """An array of hashes that stand one behind the other."""
    return np.frombuffer(raw, f"S{DIGEST_BYTES}")


class Index:
    """The rows of Parquet files, in the order of the files; InputError for a file that is no part of a sweep."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = list(files)
        self._groups: list[tuple[Path, int]] = []
        points, contents, sizes = [b""], [b""], [0]
        for path in files:
            for number, table in enumerate(_hashes(path)):
                points.append(bytes.fromhex("".join(table["point"].to_pylist())))
                contents.append(bytes.fromhex("".join(table["content"].to_pylist())))
                self._groups.append((path, number))
                sizes.append(table.num_rows)
        self.points, self._contents = digests(b"".join(points)), digests(b"".join(contents))
        self._group = np.repeat(np.arange(len(self._groups)), sizes[1:])
        self._row = np.concatenate([np.arange(size) for size in sizes])
        self._read = lru_cache(GROUPS_KEPT)(self._read_group)

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.points)

    def positions(self, wanted: Digests) -> NDArray[np.int64]:
        """Where points stand, -1 where they do not."""
        return _positions(self.points, self._by_point, wanted)

    def positions_of_content(self, wanted: Digests) -> NDArray[np.int64]:
        """Where some point of that content stands, -1 where none does."""
        return _positions(self._contents, self._by_content, wanted)

    def rows(self, positions: NDArray[np.int64]) -> pa.Table:
        """The rows at these positions, in this order."""
        order = np.argsort(self._group[positions], kind="stable")
        arranged = positions[order]
        groups, starts = np.unique(self._group[arranged], return_index=True)
        pieces = np.split(self._row[arranged], starts[1:])
        tables = [self._read(int(group)).take(rows) for group, rows in zip(groups, pieces, strict=True)]
        return pa.concat_tables(tables).take(np.argsort(order, kind="stable"))

    @cached_property
    def _by_point(self) -> NDArray[np.int64]:
        return np.argsort(self.points, kind="stable")

    @cached_property
    def _by_content(self) -> NDArray[np.int64]:
        return np.argsort(self._contents, kind="stable")

    def _read_group(self, group: int) -> pa.Table:
        path, number = self._groups[group]
        with pq.ParquetFile(path) as file:
            return file.read_row_group(number)


def _positions(known: Digests, order: NDArray[np.int64], wanted: Digests) -> NDArray[np.int64]:
    if not len(known):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)
    found = order[place]
    return np.where(known[found] == wanted, found, -1)


def _hashes(path: Path) -> Iterable[pa.Table]:
    """The hashes of every row group."""
    try:
        with pq.ParquetFile(path) as file:
            return [file.read_row_group(number, ["point", "content"]) for number in range(file.num_row_groups)]
    except (OSError, pa.ArrowException, KeyError) as error:
        raise InputError(str(path), f"is no part of a sweep: {error}; move it away") from None
