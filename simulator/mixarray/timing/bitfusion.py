"""Bit Fusion's timing rule (ISCA 2018): cycles of fully connected, recurrent and 1x1 layers on its array.

Its rule, not ours: rows lie along the inputs, columns along the outputs, and a fusion unit does more products of fewer
bits, all of them along the inputs. Nothing fills or drains within a tile. Source: the authors' repository
(hsharma35/bitfusion), read and written anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixarray.timing.tile_search import Integers, Layer, Loop, Tensor, TileTiming, fetch, list_tilings, search

SUM_BITS = 32
LEAST_BITS, MOST_BITS = 2, 8
BITS_PER_KIB = 8 * 1024


@dataclass(frozen=True, slots=True)
class BitFusionArray:
    """The machine. Defaults: the configuration that its paper holds against Eyeriss."""

    rows: int = 16
    columns: int = 32
    weight_kib: int = 64
    activation_kib: int = 32
    sum_kib: int = 16
    bandwidth_bits: int = 192


def bitfusion_timing(array: BitFusionArray, layer: Layer) -> TileTiming:
    """Cycles of one layer, of which it stalls for DRAM; raises ValueError where not even the smallest tiles fit."""
    tilings = list_tilings(layer, array.columns)
    lanes = array.rows * _products(layer.activation_bits) * _products(layer.weight_bits)
    column_tiles, pixels = -(-tilings.outputs // array.columns), tilings.batch * tilings.side**2
    compute = tilings.tiles * pixels * column_tiles * -(-tilings.inputs // lanes)
    bits = {
        Tensor.WEIGHTS: -(-tilings.inputs // lanes) * lanes * tilings.outputs * layer.weight_bits,
        Tensor.ACTIVATIONS: pixels * tilings.inputs * layer.activation_bits,
        Tensor.SUMS: pixels * column_tiles * array.columns * SUM_BITS,
    }
    halves = {
        Tensor.WEIGHTS: array.weight_kib * BITS_PER_KIB // 2,
        Tensor.ACTIVATIONS: array.activation_kib * BITS_PER_KIB // 2,
        Tensor.SUMS: array.sum_kib * BITS_PER_KIB // 2,
    }

    def traffic(order: tuple[Loop, ...]) -> tuple[Integers, Integers, Integers]:
        weights, activations, sums = (fetch(tilings, order, tensor, bits[tensor], halves[tensor]) for tensor in Tensor)
        moved = weights.all_bits + activations.all_bits + 2 * sums.all_bits
        return moved, weights.kept_bits + activations.kept_bits + sums.kept_bits, sums.kept_bits

    allowed = np.all([bits[tensor] <= halves[tensor] for tensor in Tensor], axis=0)
    return search(tilings, traffic, compute, allowed, array.bandwidth_bits)


def _products(bits: int) -> int:
    """Products of one operand's bits that a fusion unit does at once; narrower than 2 bits costs as 2."""
    return MOST_BITS // max(bits, LEAST_BITS)
