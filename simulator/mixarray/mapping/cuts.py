"""How large the pieces of a GEMM are in each dataflow: what the array, the accumulators and the weight buffer hold.

| dataflow | a stripe (one accumulator slot) | one fold of it |
|---|---|---|
| weight-stationary | as many rows as fit, by one array column | its rows, by R values of K (times slots) |
| input-stationary | C rows, by as many columns of N as fit | its columns of N, by R values of K (times slots) |
| output-stationary | as many rows of one group as fit, by one array column | R rows, by the whole K |

Where whole rows must be on the chip, a stripe covers all columns of N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mixarray.accelerator.enums import BorderTiles, Dataflow
from mixarray.accelerator.model import Accelerator, Array
from mixarray.mapping.amounts import ceil_div
from mixarray.mapping.tiles import Run, Runs, column_widths, cut_rows, even_widths, fold_depths, largest_divisor


@dataclass(frozen=True, slots=True)
class Cuts:
    """The sizes for array number `index` of one accelerator."""

    accelerator: Accelerator
    index: int = 0

    @property
    def array(self) -> Array:
        """The array that the pieces are cut for."""
        return self.accelerator.arrays[self.index]

    @property
    def sums(self) -> int:
        """Sums that an accumulator slot holds for each column of the array."""
        return self.accelerator.buffers.accumulator.slot_bits // (self.array.columns * self.array.accumulator_bits)

    @property
    def fold_rows(self) -> int:
        """Rows that fill the array once: lying on its columns, or as many as it has rows of its own."""
        return self.array.columns if self.array.dataflow is Dataflow.INPUT_STATIONARY else self.array.rows

    def stripe_rows(self, columns: int, whole_rows: bool) -> int:
        """Rows of a stripe of a GEMM with that many columns of N; 0 if no whole row fits."""
        if self.array.dataflow is Dataflow.INPUT_STATIONARY:
            return 0 if whole_rows and columns > self.sums else self.array.columns
        return self.sums // (ceil_div(columns, self.array.columns) if whole_rows else 1)

    def tile_rows(self, columns: int, whole_rows: bool, weights_stay: bool) -> int:
        """Rows of a tile at most: a stripe; or (input-stationary) several, which share weights that do not stay."""
        rows = self.stripe_rows(columns, whole_rows)
        shares = self.array.dataflow is Dataflow.INPUT_STATIONARY and not weights_stay
        return max(rows, self.sums) if shares else rows

    def whole_folds(self, rows: int) -> int:
        """So many rows that no fold in the middle of an operator is part empty."""
        if self.array.dataflow is Dataflow.WEIGHT_STATIONARY or rows < self.fold_rows:
            return rows
        return rows // self.fold_rows * self.fold_rows

    def widths(self, columns: int, k: int, runs: Sequence[Run], weights: bool) -> list[tuple[int, ...]]:
        """N in pieces, in every way worth trying: array columns, or (input-stationary) equal shares.

        The widest share fits an accumulator slot, and its weights for one fold a slot of their buffer. Narrower ones
        fit that slot for the whole K, so that all stripes of a tile share them (the last without a remainder, which
        would make one iteration of all pieces); none is too narrow to hide the next load.
        """
        if self.array.dataflow is not Dataflow.INPUT_STATIONARY:
            return [column_widths(columns, self.array.columns)]
        if not weights:
            return [even_widths(columns, self.sums)]
        slot = self.accelerator.buffers.weight.slot_bits
        widest = even_widths(
            columns, min(self.sums, *(slot // self.least_weight_bits(k, columns, run) for run in runs))
        )
        shared = min(self._shared_columns(k, run) for run in runs)
        if shared >= widest[0]:
            return [widest]
        narrower = even_widths(columns, shared), even_widths(columns, largest_divisor(columns, shared))
        return [widest, *(widths for widths in narrower if widths[0] >= self.array.rows)]

    def _shared_columns(self, k: int, run: Run) -> int:
        """Columns of N whose weights for all folds of K fit a slot of their buffer (never 0)."""
        depths = self.depths(k, run, 1, weights=True)
        return max(1, self.accelerator.buffers.weight.slot_bits // (len(depths) * depths[0] * run.stationary_bits))

    def tiles(self, runs: Sequence[Run], height: int) -> list[Runs]:
        """Tiles of rows of a linear layer; output-stationary, and where asked for, groups share none."""
        own = self.accelerator.mapping.border_tiles is BorderTiles.OWN
        if own or self.array.dataflow is Dataflow.OUTPUT_STATIONARY:
            return [tile for run in runs for tile in cut_rows([run], height)]
        return cut_rows(runs, height)

    def depths(self, k: int, run: Run, width: int, weights: bool) -> tuple[int, ...]:
        """K in pieces: of folds, or (output-stationary) of the weights of one array column that fit a buffer slot."""
        if self.array.dataflow is not Dataflow.OUTPUT_STATIONARY:
            assert run.mode is not None  # vector work is not cut
            return fold_depths(k, run.mode.fold_depth(self.array.rows))
        buffer = self.accelerator.buffers.weight
        return fold_depths(k, buffer.slot_parts(width * run.stationary_bits, k) if weights else k)

    def readings(self, run: Run) -> int:
        """How often the rows of a run make the array read the weights of an array column from their buffer."""
        return ceil_div(run.rows, self.array.rows) if self.array.dataflow is Dataflow.OUTPUT_STATIONARY else 1

    def least_weight_bits(self, k: int, columns: int, run: Run) -> int:
        """Weights that a slot of their buffer must hold: a fold's; the part of one column of N in it; or one step's."""
        assert run.mode is not None  # vector work has no weights
        width, depth = min(columns, self.array.columns), min(k, run.mode.fold_depth(self.array.rows))
        match self.array.dataflow:
            case Dataflow.WEIGHT_STATIONARY:
                return depth * width * run.stationary_bits
            case Dataflow.INPUT_STATIONARY:
                return depth * run.stationary_bits
            case Dataflow.OUTPUT_STATIONARY:
                return width * run.stationary_bits
