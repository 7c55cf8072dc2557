"""ANT's timing rule (MICRO 2022): cycles of matrix products on an array whose edges grow where bits shrink.

Its rule, not ours: at 4 bits an array of 8-bit PEs counts twice the rows (along the activations) and twice the columns
(along the weights). Output-stationary: one input channel per cycle; weight-stationary: one row of the batch per cycle.
Nothing fills or drains within a tile; results leave in 16 bits and are never read back. Source: the authors' repository
(clevercool/ANT-Quantization), read and written anew, with what it does not count left uncounted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixarray.timing.tile_search import Integers, Layer, Loop, Tensor, TileTiming, fetch, list_tilings, search

RESULT_BITS = 16
MOST_BITS = 8
BITS_PER_KIB = 8 * 1024


@dataclass(frozen=True, slots=True)
class AntArray:
    """The machine. least_bits: operands of fewer bits count as these. Buffers as in the authors' configurations."""

    rows: int = 32
    columns: int = 32
    weight_stationary: bool = False
    least_bits: int = 4
    weight_kib: int = 128
    activation_kib: int = 256
    result_kib: int = 128
    bandwidth_bits: int = 1024


def ant_timing(array: AntArray, layer: Layer) -> TileTiming:
    """Cycles of one layer, of which it stalls for DRAM; raises ValueError where not even the smallest tiles fit."""
    tilings = list_tilings(layer, 1)
    wide, narrow = _times(array, layer.activation_bits), _times(array, layer.weight_bits)
    rows, columns = array.rows * wide, array.columns * narrow
    pixels = tilings.batch * tilings.side**2
    column_tiles = -(-tilings.outputs // columns)
    by_row, by_input = pixels * -(-tilings.inputs // rows), -(-pixels // rows) * tilings.inputs
    steps = by_row if array.weight_stationary else by_input
    weight_depth, activation_depth = array.rows * narrow, array.columns * wide
    weight_bits = -(-tilings.inputs // weight_depth) * weight_depth * tilings.outputs * layer.weight_bits
    activation_bits = pixels * -(-tilings.inputs // activation_depth) * activation_depth * layer.activation_bits
    result_bits = pixels * tilings.outputs * RESULT_BITS
    weight_half, activation_half, result_half = (
        kib * BITS_PER_KIB // 2 for kib in (array.weight_kib, array.activation_kib, array.result_kib)
    )

    # Results of a tile that fits in half of its buffer leave beside the computation; others have to wait for it.
    drained = np.where(result_bits <= result_half, 0, result_bits)

    def traffic(order: tuple[Loop, ...]) -> tuple[Integers, Integers, Integers]:
        weights = fetch(tilings, order, Tensor.WEIGHTS, weight_bits, weight_half)
        activations = fetch(tilings, order, Tensor.ACTIVATIONS, activation_bits, activation_half)
        results = fetch(tilings, order, Tensor.SUMS, result_bits, result_half)
        moved = weights.all_bits + activations.all_bits + results.all_bits
        return moved, weights.kept_bits + activations.kept_bits, drained

    allowed = (weight_bits <= weight_half) & (activation_bits <= activation_half)
    return search(tilings, traffic, tilings.tiles * steps * column_tiles, allowed, array.bandwidth_bits)


def _times(array: AntArray, bits: int) -> int:
    """How many times longer an edge of the array counts for operands of so many bits."""
    return MOST_BITS // max(bits, array.least_bits)
