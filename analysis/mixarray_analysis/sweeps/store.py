"""The data set on disk: parts that appear whole while a sweep runs, and one sorted file at its end.

`points/` holds the rows of the present specification, `unasked/` finished rows that only an earlier one asked for. A
file is written under a name with a leading dot, which readers of data sets pass over, flushed to disk and renamed. At
the end rows are first in the new file and then removed from the old ones: a kill in between leaves some rows twice
until the sweep is run again, and never loses one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mixarray.errors import InputError
from mixarray_analysis.sweeps.index import Digests, Index
from mixarray_analysis.sweeps.rows import SCHEMA

POINTS, UNASKED = "points", "unasked"
SORTED = "points.parquet"
GROUP_ROWS = 4096
"""Rows in a row group of the sorted file: what is held in memory at a time."""


def data_files(directory: Path) -> list[Path]:
    """Every file that holds finished rows."""
    return [path for folder in (POINTS, UNASKED) for path in sorted((directory / folder).glob("[!.]*.parquet"))]


def remove_partial(directory: Path) -> None:
    """Remove what killed processes were writing."""
    for folder in (POINTS, UNASKED):
        for path in (directory / folder).glob(".*.partial"):
            path.unlink()


def write_part(folder: Path, table: pa.Table) -> Path:
    """Add rows to a folder; the file is named by the points it holds, so that writing it twice changes nothing."""
    name = hashlib.sha256("".join(table["point"].to_pylist()).encode()).hexdigest()[:24]
    return _write(folder / f"part-{name}.parquet", [table])


def sort_rows(directory: Path, asked: Digests) -> None:
    """Make the data set one file of the points `asked`, in this order, each once; others move to `unasked/`.

    Equal points give equal bytes, however they came about. Memory grows by the hashes alone. InputError where a point
    is not there.
    """
    index = Index(data_files(directory))
    _, first = np.unique(asked, return_index=True)
    wanted = index.positions(asked[np.sort(first)])
    if (wanted < 0).any():
        raise InputError(str(directory), "rows of finished points are gone: were files removed while it ran?")
    target = directory / POINTS / SORTED
    if index.files == [target] and np.array_equal(wanted, np.arange(index.size)):
        return
    every, place = np.unique(index.points, return_index=True)
    rest = np.sort(place[~np.isin(every, asked)])
    kept = [write_part(directory / UNASKED, table) for table in _slices(index, rest)]
    _write(target, _slices(index, wanted))
    for path in data_files(directory):
        if path != target and path not in kept:
            path.unlink()


def _slices(index: Index, positions: NDArray[np.int64]) -> Iterator[pa.Table]:
    for start in range(0, len(positions), GROUP_ROWS):
        yield index.rows(positions[start : start + GROUP_ROWS])


def _write(path: Path, tables: Iterable[pa.Table]) -> Path:
    """Write each table as a row group of one file; it appears complete or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(partial, SCHEMA, compression="zstd", store_schema=False) as writer:
            for table in tables:
                writer.write_table(table)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.rename(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(str(path), f"cannot be written: {error.strerror or error}") from None
    return path
