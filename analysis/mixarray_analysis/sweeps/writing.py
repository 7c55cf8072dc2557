"""Rows on their way to the data set: in a journal from the moment they are known, in a part soon after.

A journal is a file of one process, one JSON list per row and line, which readers of data sets pass over. What a process
has handed to the system outlives it, so a kill loses no row; a line that it cut short has no end and does not count.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import BinaryIO

from mixarray.errors import InputError
from mixarray_analysis.sweeps.rows import Row, table_of
from mixarray_analysis.sweeps.store import write_part

JOURNAL = ".{}.journal"
PART_SECONDS = 1.0
PART_SHARE = 0.01
"""Rows become a part when the oldest is older than both PART_SECONDS and this share of the time worked so far: readers
see all but the newest hundredth, and the number of parts grows with the logarithm of time."""


class Writer:
    """Writes rows of this process into `folder`; InputError where it cannot."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / JOURNAL.format(os.getpid())
        self._journal: BinaryIO | None = None
        self._rows: list[Row] = []
        self._since = self._begun = time.monotonic()

    def add(self, row: Row) -> None:
        """Keep a row, whatever happens to this process from now on."""
        now = time.monotonic()
        try:
            if self._journal is None:
                self._journal, self._since = self._path.open("wb", buffering=0), now
            self._journal.write(json.dumps(row).encode() + b"\n")
        except OSError as error:
            raise InputError(str(self._path), f"cannot be written: {error.strerror}") from None
        self._rows.append(row)
        if now - self._since > max(PART_SECONDS, PART_SHARE * (now - self._begun)):
            self.flush()

    def flush(self) -> None:
        """Make a part of the rows that are in none."""
        if self._journal is not None:
            write_part(self._folder, table_of(self._rows))
            self._rows = []
            self._journal.close()
            self._journal = None
            self._path.unlink(missing_ok=True)


def journals(folder: Path) -> list[Path]:
    """The journals that lie in a folder."""
    return sorted(folder.glob(JOURNAL.format("*")))


def read_journal(path: Path) -> list[Row]:
    """The rows of a journal."""
    return [tuple(json.loads(line)) for line in path.read_bytes().split(b"\n")[:-1]]


def recover(folder: Path) -> None:
    """Make parts of what killed processes left in journals."""
    for path in journals(folder):
        _recover(path)


def recover_of(folder: Path, process: int) -> None:
    """The same of one process, by its number."""
    if (path := folder / JOURNAL.format(process)).exists():
        _recover(path)


def _recover(path: Path) -> None:
    rows = read_journal(path)
    if rows:
        write_part(path.parent, table_of(rows))
    path.unlink()
