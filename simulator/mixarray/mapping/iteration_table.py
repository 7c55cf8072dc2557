"""Compiled: the iterations of a laid out GEMM over weights, as tables."""

from __future__ import annotations

import numpy as np

from mixarray.compiled import compiled
from mixarray.mapping import pipeline_columns as at
from mixarray.mapping.pipeline_columns import Integers

COMPILED_WITH = {"mapping/pipeline_columns.py": "8da859028206e4c0"}


@compiled
def iteration_table(facts: Integers, tiles: Integers, blocks: Integers, order: Integers) -> Integers:
    """One row per iteration: tiles of M, N and K in `order` (0 M, 1 N, 2 K, from outside), and the blocks of N.

    A tile of rows stays while M and K stay, weights while N, K and their bits do.
    """
    k, depth, tiles_m = facts[at.K], facts[at.DEPTH], len(tiles) - 1
    counts = np.array((tiles_m, blocks[-1, at.COLUMN_TILE] + 1, -(-k // depth)))
    its = np.zeros((tiles_m * len(blocks) * counts[2], at.ITERATION_COLUMNS), np.int64)
    starts = np.zeros(len(its) + 1, np.int64)  # of the runs of iterations on one tile of rows
    place, before = np.zeros(3, np.int64), np.full(3, -1, np.int64)
    here = fetch = runs = 0
    for number in range(counts.prod()):
        left = number
        for loop in range(2, -1, -1):
            place[order[loop]] = left % counts[order[loop]]
            left //= counts[order[loop]]
        if place[0] != before[0] or place[2] != before[2]:
            starts[runs] = here
            runs += 1
        bits_change = number > 0 and tiles[place[0], at.VALUE_BITS] != tiles[before[0], at.VALUE_BITS]
        if number > 0 and (place[1] != before[1] or place[2] != before[2] or bits_change):
            fetch += 1
        before[:] = place
        for block in range(len(blocks)):
            if blocks[block, at.COLUMN_TILE] == place[1]:
                its[here, at.TILE], its[here, at.BLOCK] = place[0], block
                its[here, at.VALUES] = min(depth, k - place[2] * depth)
                its[here, at.BEGINS], its[here, at.ENDS] = place[2] == 0, place[2] == counts[2] - 1
                its[here, at.FETCH] = its[here, at.WAITED_FETCH] = fetch
                here += 1
    starts[runs] = here
    _feeds(facts, its, starts[: runs + 1])
    if facts[at.WHOLE_WEIGHTS]:
        _parts(its, starts[1])
    return its


@compiled
def _feeds(facts: Integers, its: Integers, starts: Integers) -> None:
    """With two slots a tile of rows comes in one feed for every iteration on the tile before it, else in one."""
    its[:, at.TARGET] = -1
    its[:, at.FEEDS_ALIKE] = 1
    its[0, at.TARGET] = 0
    for run in range(1, len(starts) - 1):
        if facts[at.SLOTS] == 1:
            its[starts[run], at.TARGET] = starts[run]
        else:
            its[starts[run - 1] + 1 : starts[run] + 1, at.TARGET] = starts[run]
            its[starts[run - 1] + 1 : starts[run] + 1, at.FEEDS_ALIKE] = starts[run] - starts[run - 1]


@compiled
def _parts(its: Integers, first_run: int) -> None:
    """Weights that come once, in parts of 1, 2, 4, ... pieces: the first tile of rows reads piece by piece."""
    its[:, at.WAITED_FETCH] = -1
    part, pieces = 0, 1
    for number in range(first_run):
        if pieces <= number:
            part, pieces = part + 1, 2 * pieces + 1
        its[number, at.WAITED_FETCH] = part


@compiled
def fetch_table(its: Integers, tiles: Integers, blocks: Integers) -> Integers:
    """One row per fetch of weights: the bits of a tile of N by one of K; enough rows for the parts of a single one."""
    fetches = np.zeros((max(its[-1, at.FETCH] + 1, 64), 3), np.int64)
    wide = np.zeros(blocks[-1, at.COLUMN_TILE] + 1, np.int64)
    for block in range(len(blocks)):
        wide[blocks[block, at.COLUMN_TILE]] += blocks[block, at.WIDTH]
    for number in range(len(its)):
        columns = wide[blocks[its[number, at.BLOCK], at.COLUMN_TILE]]
        bits = columns * its[number, at.VALUES] * tiles[its[number, at.TILE], at.VALUE_BITS]
        fetches[its[number, at.FETCH], at.FETCH_BITS] = bits
    return fetches
