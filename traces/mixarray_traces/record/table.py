"""The assignment layer of a bundle under construction. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mixarray.trace.windows import WindowTable
from mixarray_traces.record.shape import MapGrid


@dataclass
class TableBuilder:
    """Collects one block of one image at a time."""

    columns: dict[str, list[NDArray[np.int64]]] = field(default_factory=dict)
    scores: list[NDArray[np.float64]] = field(default_factory=list)

    def add(
        self,
        image: int,
        stage: int,
        block: int,
        grid: MapGrid,
        scores: NDArray[np.float64],
        ranks: NDArray[np.int64],
        bits: NDArray[np.int64],
    ) -> None:
        """Append the windows of one block: scores, ranks and bits in window order."""
        constants = {"image": image, "stage": stage, "grid": int(grid.shift > 0), "block": block}
        count = grid.windows
        rows = {name: np.full(count, value, np.int64) for name, value in constants.items()}
        rows |= {"window": np.arange(count), "rank": ranks, "bits": bits, "tokens": np.array(grid.window_tokens())}
        for name, values in rows.items():
            self.columns.setdefault(name, []).append(values.astype(np.int64))
        self.scores.append(scores.astype(np.float64))

    def finish(self) -> WindowTable:
        """The table of everything added."""
        columns = {name: np.concatenate(parts) for name, parts in self.columns.items()}
        return WindowTable(score=np.concatenate(self.scores), **columns)
