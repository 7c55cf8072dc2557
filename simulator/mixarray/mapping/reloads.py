"""How often the tiles of many choices come and go, in closed form, and what that adds up to in DRAM.

Traffic counts the bits of the data itself, each way; transfers round it up to whole bursts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixarray.mapping.chain_plan import Stage
from mixarray.mapping.choice import Choice, LoopOrder
from mixarray.mapping.pipeline_columns import Integers
from mixarray.mapping.space import Space
from mixarray.mapping.tile_tables import RowTable

Truths = NDArray[np.bool_]
M, N, K = range(3)


@dataclass(frozen=True, slots=True)
class Reloads:
    """Of every choice, arrays of shape (choices,).

    row_loads: how often every tile of rows is loaded. weight_bits: all fetches of weights together. partial_bits: sums
    that leave before they are complete; as much comes back.
    """

    row_loads: Integers
    weight_bits: Integers
    partial_bits: Integers


def reloads(space: Space, choices: Sequence[Choice], tables: Mapping[int, RowTable]) -> Reloads:
    """Reloads of choices, whose tiles of rows `tables` has by their size."""
    demand, count = space.demand, len(choices)
    sizes = np.array([(c.columns, c.depth) for c in choices], np.int64).reshape(count, 2)
    known = {rows: (table.count, table.value_bits, table.changing_bits) for rows, table in tables.items()}
    tiles_m, every_bits, staying_bits = _array([known[choice.rows] for choice in choices]).reshape(count, 3).T
    tiles = np.stack([tiles_m, -(-demand.n // sizes[:, 0]), -(-demand.k // sizes[:, 1])])
    innermost, spilling = _order_facts([choice.order for choice in choices], tiles)
    sums = demand.rows * demand.n * space.cuts.array.accumulator_bits
    partial = np.where(spilling, (tiles[K] - 1) * sums, 0)
    if demand.elements:
        return Reloads(np.ones(count, np.int64), np.zeros(count, np.int64), partial)
    # leaving a tile of N leaves all tiles of rows behind, unless there is only one
    again = (innermost != N) & (tiles[M] * tiles[K] > 1)
    # a tile of weights stays while rows of the same stationary bits follow each other on it
    value_bits = np.where(innermost == M, staying_bits, every_bits)
    weights = np.where(tiles[N] * tiles[K] == 1, demand.weight_bits, demand.n * demand.k * value_bits)
    return Reloads(np.where(again, tiles[N], 1), weights, partial)


def traffic_bits(space: Space, found: Reloads) -> Integers:
    """All DRAM traffic of the chain by itself, both ways, for every choice."""
    demand = space.demand
    again = sum(entry.bits for entry in demand.at(Stage.RAW, Stage.STREAM))
    once = sum(entry.bits for entry in demand.at(Stage.STATIONARY, Stage.SIDE, Stage.FED, Stage.OUT))
    fixed = once + sum(demand.parameter_bits)
    return fixed + found.row_loads * again + found.weight_bits + 2 * found.partial_bits


def _order_facts(orders: Sequence[LoopOrder], tiles: Integers) -> tuple[Integers, Truths]:
    """The innermost dimension with more than one tile (-1: none), and whether sums leave before they are complete."""
    places = {order: ["mnk".index(axis) for axis in order.value] for order in LoopOrder}
    order = _array([places[o] for o in orders]).reshape(-1, 3)
    counts = np.take_along_axis(tiles.T, order, axis=1)
    innermost = np.full(len(orders), -1, np.int64)
    spilling = np.zeros(len(orders), np.bool_)
    inside = np.zeros(len(orders), np.bool_)  # whether a loop inside this one has more than one tile
    for loop in (2, 1, 0):
        many = counts[:, loop] > 1
        innermost = np.where(many & (innermost < 0), order[:, loop], innermost)
        spilling |= (order[:, loop] == K) & many & inside
        inside |= many
    return innermost, spilling


def _array(values: Sequence[object]) -> Integers:
    return np.array(values, np.int64)
