"""The loops of a GEMM over tiles in any order: which tile of rows and of weights each iteration needs, and how long.

A *visit* is one tile of M by one of N by one of K; it has an iteration for each piece of its columns (one for all where
whole rows must be together). What the next visit uses again stays; everything else is loaded again. Sums stay while
visits follow each other on the same tile of M and N, and otherwise spill.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise, product

from mixarray.mapping.choice import LoopOrder
from mixarray.mapping.tiles import Iteration, Loops, Runs, cut_rows, stripes

Visit = tuple[int, int, int]
"""(tile of M, tile of N, tile of K)"""


@dataclass(frozen=True, slots=True)
class Nest:
    """Tiles of rows, tiles of N (each in pieces), tiles of K, and their order.

    stripe_rows: rows of a stripe. whole_rows: a stripe covers all columns of its tile.
    """

    tiles: tuple[Runs, ...]
    columns: tuple[tuple[int, ...], ...]
    depths: tuple[int, ...]
    order: LoopOrder
    stripe_rows: int
    whole_rows: bool

    @property
    def counts(self) -> dict[str, int]:
        """Tiles along each dimension."""
        return {"m": len(self.tiles), "n": len(self.columns), "k": len(self.depths)}

    @property
    def spills(self) -> bool:
        """Whether the nest leaves a tile of M and N before its sums are complete."""
        inside = self.order.value.partition("k")[2]
        return len(self.depths) > 1 and any(self.counts[axis] > 1 for axis in inside)

    def visits(self) -> Iterator[Visit]:
        """All visits in order."""
        places = [self.order.value.index(axis) for axis in "mnk"]
        for place in product(*(range(self.counts[axis]) for axis in self.order.value)):
            yield place[places[0]], place[places[1]], place[places[2]]

    def most_stripes(self) -> int:
        """Stripes of the largest tile of M by N."""
        high = max(len(cut_rows(tile, self.stripe_rows)) for tile in self.tiles)
        return high * (1 if self.whole_rows else max(len(widths) for widths in self.columns))


@dataclass(frozen=True, slots=True)
class _Body:
    """One iteration: its visit, the tile of rows (its place in M and in K), of weights (in N and in K; bits), and its
    stripes.
    """

    visit: Visit
    rows: tuple[int, int]
    weights: tuple[int, int, int]
    stripes: Iteration


def nest_loops(nest: Nest, slots: int, piece_rows: int) -> Loops:
    """The loops of a GEMM over weights; with two slots the next tile of rows arrives while one is used.

    The first tile then arrives in pieces of at most `piece_rows` rows.
    """
    bodies = list(_bodies(nest))
    runs = [(rows, len(list(group))) for rows, group in groupby(body.rows for body in bodies)]
    feeds, lead = _double(nest, runs, piece_rows) if slots > 1 else (_single(nest, runs), 0)
    distinct = len(nest.tiles) * len(nest.depths)
    brought = sum(count for _, count in (runs[: distinct - 1] if slots > 1 else runs[:distinct]))
    fetches = [(tile, len(list(group))) for tile, group in groupby(body.weights for body in bodies)]
    numbers = [number for number, (_, count) in enumerate(fetches) for _ in range(count)]
    return Loops(
        iterations=tuple(body.stripes for body in bodies),
        feeds=tuple(feeds),
        ahead=slots - 1,
        parts=runs[0][1],
        lead=lead,
        loads=len(runs) // distinct,
        fresh=brought + lead + 1 if slots > 1 else brought,
        weight_tiles=tuple(numbers),
        weight_bits=tuple(sum(nest.columns[n]) * nest.depths[k] * bits for (n, k, bits), _ in fetches),
        spills=nest.spills,
        together=_together(nest, bodies, feeds[lead:], numbers),
    )


def element_stripes(nest: Nest) -> Iteration:
    """All stripes of one batch element, whose operands are on the chip as a whole, in the order of its loops."""
    return tuple(stripe for body in _bodies(nest) for stripe in body.stripes)


def _bodies(nest: Nest) -> Iterator[_Body]:
    """All iterations; those that are alike share their stripes, so that comparing them is quick."""
    kinds: dict[Runs, int] = {}
    alike = [kinds.setdefault(tile, len(kinds)) for tile in nest.tiles]
    known: dict[tuple[int, tuple[int, ...], int, bool, bool], Iteration] = {}
    for m, n, k in nest.visits():
        begins, ends, tile = k == 0, k == len(nest.depths) - 1, nest.tiles[m]
        for block in [nest.columns[n]] if nest.whole_rows else [(width,) for width in nest.columns[n]]:
            key = alike[m], block, nest.depths[k], begins, ends
            if key not in known:
                known[key] = stripes(tile, block, nest.depths[k], nest.stripe_rows, begins, ends)
            yield _Body((m, n, k), (m, k), (n, k, tile[0].stationary_bits), known[key])


Feeds = list[tuple[Runs, int]]
TileRun = tuple[tuple[int, int], int]
"""A tile of rows (its place in M and in K), and for how many iterations it stays."""


def _double(nest: Nest, runs: Sequence[TileRun], piece_rows: int) -> tuple[Feeds, int]:
    """The feeds of two slots: the next tile comes in as many parts as this one has iterations."""
    scale = math.lcm(*{count for _, count in runs})
    (m, k), _ = runs[0]
    feeds: Feeds = [(piece, nest.depths[k] * scale) for piece in cut_rows(nest.tiles[m], piece_rows)]
    lead = len(feeds) - 1
    for (_, count), ((m, k), _) in pairwise(runs):
        feeds += [(nest.tiles[m], nest.depths[k] * scale // count)] * count
    return feeds + [((), 0)] * (runs[-1][1] - 1), lead


def _single(nest: Nest, runs: Sequence[TileRun]) -> Feeds:
    """The feeds of one slot: every tile before its first iteration."""
    feeds: Feeds = []
    for (m, k), count in runs:
        feeds += [(nest.tiles[m], nest.depths[k])] + [((), 0)] * (count - 1)
    return feeds


def _together(nest: Nest, bodies: Sequence[_Body], feeds: Feeds, weights: Sequence[int]) -> tuple[int, ...]:
    """Iterations to write down together, so that as few jobs as possible are stored: one (empty), a visit, or all of a
    loop.
    """
    starts = [False, *(after != before for before, after in pairwise(weights))]
    kinds: dict[tuple[int, int, int, bool], int] = {}
    labels = [
        kinds.setdefault((id(body.stripes), id(rows), share, start), len(kinds))
        for body, (rows, share), start in zip(bodies, feeds, starts, strict=True)
    ]
    axes = ["mnk".index(axis) for axis in nest.order.value]
    best: tuple[int, ...] = ()
    least = _stored(labels, [1] * len(labels))
    for length in (3, 2, 1):
        places = ([body.visit[axis] for axis in axes[:length]] for body in bodies)
        sizes = tuple(len(list(group)) for _, group in groupby(places))
        stored = _stored(labels, sizes)
        if stored < least:
            best, least = sizes, stored
    return best


def _stored(labels: Sequence[int], sizes: Sequence[int]) -> int:
    """Iterations in bodies that differ from the one before."""
    stored = start = 0
    before: Sequence[int] = ()
    for size in sizes:
        body = labels[start : start + size]
        stored += size if body != before else 0
        before, start = body, start + size
    return stored
