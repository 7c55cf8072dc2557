"""How busy each PE is, counted from the events: every pass and every fold, none sampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Array
from mixarray.array.events import ArrayEvent, Integers
from mixarray.array.fold import Fold, StationaryFold
from mixarray.array.stationary import Expansion


@dataclass(frozen=True, slots=True)
class Utilization:
    """In how many of `total_cycles` each PE multiplied values that exist, shape (R, C)."""

    active_cycles: Integers
    total_cycles: int

    @property
    def share(self) -> NDArray[np.float64]:
        """Active share of the time by PE, 0 to 1."""
        return self.active_cycles / max(self.total_cycles, 1)

    @property
    def overall(self) -> float:
        """Active share of all PE-cycles."""
        return float(self.share.mean())


def utilization(array: Array, folds: Sequence[Fold], expansion: Expansion) -> Utilization:
    """Count the PEs that each event of an expansion of `folds` makes multiply.

    A PE of a weight-stationary array is active in a pass if a slot of that pass holds a value in its row and its column
    is used; one of an output-stationary array if its row and column are in the tile. Equal passes of equal folds are
    counted once and multiplied.
    """
    events = expansion.log.of(ArrayEvent.COMPUTE)
    shapes, shape_of = np.unique(
        np.array([_shape(fold) for fold in folds], np.int64).reshape(-1, 2), axis=0, return_inverse=True
    )
    columns = shape_of.reshape(-1)[events.fold], events.stream_bits, events.stationary_bits, events.pass_number
    sizes = tuple(int(column.max(initial=0)) + 1 for column in columns)
    # one number for each kind of pass: sorting numbers is far quicker than sorting rows
    kinds, counts = np.unique(np.ravel_multi_index(columns, sizes), return_counts=True)
    active = np.zeros((array.rows, array.columns), np.int64)
    described = np.stack(np.unravel_index(kinds, sizes), axis=1).tolist()
    for (shape, stream_bits, stationary_bits, number), count in zip(described, counts.tolist(), strict=True):
        height, width = shapes[shape].tolist()
        if array.dataflow is Dataflow.OUTPUT_STATIONARY:
            active[array.rows - height :, :width] += count
        else:
            active[: _rows_in_pass(array, height, (stream_bits, stationary_bits), number), :width] += count
    return Utilization(active, expansion.total_cycles)


def _shape(fold: Fold) -> tuple[int, int]:
    """(values of K or rows of M, columns) of a fold's tile."""
    return (fold.depth if isinstance(fold, StationaryFold) else fold.height), fold.width


def _rows_in_pass(array: Array, depth: int, bits: tuple[int, int], number: int) -> int:
    """Array rows, from the first on, that hold a value in the slots of pass `number` over `depth` values of K."""
    mode = next(mode for mode in array.pe_modes if (mode.stream_bits, mode.stationary_bits) == bits)
    if mode.slots_per_value > 1:
        return depth
    return min(array.rows, depth - number * mode.lanes * array.rows)
