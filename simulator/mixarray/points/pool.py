"""Arrays that grow by rows: what compiled functions read, gathered one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class Pool:
    """Rows of `width` integers behind one another (width 0: single integers)."""

    def __init__(self, width: int = 0) -> None:
        self._rows = np.zeros((64, width) if width else 64, np.int64)
        self.used = 0

    @property
    def rows(self) -> Integers:
        """All rows so far, and room behind them."""
        return self._rows

    def add(self, rows: Sequence[int] | Sequence[Sequence[int]] | Integers) -> int:
        """Append rows; the number of the first."""
        first, self.used = self.used, self.used + len(rows)
        if self.used > len(self._rows):
            larger = np.zeros((2 * self.used, *self._rows.shape[1:]), np.int64)
            larger[:first] = self._rows[:first]
            self._rows = larger
        if len(rows):
            self._rows[first : self.used] = rows
        return first

    def widen(self, width: int) -> None:
        """Give every row zeros behind it, up to `width`."""
        wider = np.zeros((len(self._rows), width), np.int64)
        wider[:, : self._rows.shape[1]] = self._rows
        self._rows = wider
