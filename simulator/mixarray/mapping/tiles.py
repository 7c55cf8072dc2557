"""The loops of an operator: iterations of stripes of folds (design 5), with the rows of all groups in order.

A *stripe* is what one slot of the accumulator buffer holds: some rows times a piece of N, or whole rows where a
row-wise operator follows; `cuts` says how large in each dataflow. An *iteration* is the body that repeats:

- weights (linear layers): the stripes of one piece of N; tiles of rows outside, pieces of N inside, K innermost, so
  that a tile is loaded once. In a weight-stationary array a weight enters once per tile of rows. Where N is ragged,
  all its pieces form one iteration. Rows of modes with the same stationary layout follow each other, highest bits
  first, and tiles straddle the border between them; other modes (output-stationary: other groups) start a new tile.
- batched GEMMs: one batch element (a window and head).
- vector work: one tile of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mixarray.accelerator.buffers import Buffer
from mixarray.accelerator.modes import Mode


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive rows of one group: its index, its mode (None for vector work), its window bits and operand bits.

    shifts: every product with them passes a conditional shift (`Group.shifts`).
    """

    group: int
    rows: int
    bits: int
    mode: Mode | None = None
    stream_bits: int = 0
    stationary_bits: int = 0
    shifts: bool = False


Runs = tuple[Run, ...]
RowBits = tuple[tuple[int, int], ...]
"""How many bits of a tensor belong to a row, as far as rows differ: (window bits, bits of its codes)."""
ALIKE: RowBits = ()
"""All rows have as many."""


@dataclass(frozen=True, slots=True)
class Stripe:
    """Rows (`runs`, all of one stationary layout) by the widths of the pieces of N that it covers, over `depth` of K.

    again: it reads the same weights as the stripe before it, all at once. begins, ends: it covers the first and the
    last values of K, so it does not add to earlier sums, and its own are complete.
    """

    runs: Runs
    widths: tuple[int, ...]
    depth: int
    again: bool = False
    begins: bool = True
    ends: bool = True

    @property
    def group(self) -> int:
        """The group of its rows, -1 if they belong to several."""
        return self.runs[0].group if len(self.runs) == 1 else -1

    @property
    def sums(self) -> int:
        """Results that it holds: rows by columns."""
        return rows_weight(self.runs, ALIKE) * sum(self.widths)

    def weight(self, by: RowBits) -> int:
        """Its share of the complete sums, by rows and columns; times the bits of a row where these differ."""
        return rows_weight(self.runs, by) * sum(self.widths) if self.ends else 0


Iteration = tuple[Stripe, ...]


@dataclass(frozen=True)
class Loops:
    """All iterations, and what must be on the chip for each: feeds[i] = (rows, share) is first needed by iteration i.

    `share` counts parts of the tile, by its depth where K is cut: `parts` of them make it whole (the next tile arrives
    during all iterations of this one). Feed i is requested `ahead` iterations before it is used. Where the first tile
    comes in several pieces that each fit a slot, feeds 0..lead are these pieces, iteration 0 needs them all, and
    iteration i feed i + lead.

    loads: how often every tile of rows is loaded; the first `fresh` feeds bring each once (None: all do).
    weight_tiles: for each iteration the number of the fetch whose weights it reads, weight_bits: the bits of each fetch
    (none: `fetches` divides the weights).
    spills: sums that are not complete go out after each stripe, and come back for the next values of K.
    together: how many iterations, one after the other, make a body that may recur (none: each of them).
    """

    iterations: tuple[Iteration, ...]
    feeds: tuple[tuple[Runs, int], ...]
    ahead: int
    parts: int
    lead: int = 0
    loads: int = 1
    fresh: int | None = None
    weight_tiles: tuple[int, ...] = ()
    weight_bits: tuple[int, ...] = ()
    spills: bool = False
    together: tuple[int, ...] = ()

    def tile_amount(self, amounts: Sequence[int]) -> int:
        """The largest amount of one feed, the pieces of the first tile taken together."""
        return max(sum(amounts[: self.lead + 1]), *amounts[self.lead + 1 :], 0)

    def stripe_weights(self, by: RowBits = ALIKE) -> list[int]:
        """Weights of all stripes in order."""
        return [weight for weights in self._weights(by) for weight in weights]

    def iteration_weights(self, by: RowBits) -> list[int]:
        """Weights of the iterations."""
        return [sum(weights) for weights in self._weights(by)]

    def _weights(self, by: RowBits) -> list[list[int]]:
        """Weights of the stripes of every iteration; most iterations are one object with others."""
        known: dict[int, list[int]] = {}
        for iteration in self.iterations:
            if id(iteration) not in known:
                known[id(iteration)] = [stripe.weight(by) for stripe in iteration]
        return [known[id(iteration)] for iteration in self.iterations]

    def feed_weights(self, by: RowBits = ALIKE) -> list[int]:
        """Weights of the feeds."""
        return [rows_weight(runs, by) * share for runs, share in self.feeds]

    def once(self, weights: list[int]) -> list[int]:
        """Weights of feeds, those that come again left out."""
        return weights if self.fresh is None else weights[: self.fresh] + [0] * (len(weights) - self.fresh)


def rows_weight(runs: Runs, by: RowBits) -> int:
    """Rows, times the bits of each where these differ."""
    if by == ALIKE:
        return sum(run.rows for run in runs)
    bits = dict(by)
    return sum(run.rows * bits.get(run.bits, 1) for run in runs)


def column_widths(columns: int, array_columns: int) -> tuple[int, ...]:
    """N cut into columns of the array."""
    full, rest = divmod(columns, array_columns)
    return (array_columns,) * full + ((rest,) if rest else ())


def even_widths(columns: int, most: int) -> tuple[int, ...]:
    """N cut into as few pieces of at most `most` columns as possible, as equal as possible."""
    return column_widths(columns, -(-columns // -(-columns // most)))


def largest_divisor(number: int, most: int) -> int:
    """The largest divisor of `number` that is at most `most`."""
    return next(divisor for divisor in range(min(number, most), 0, -1) if number % divisor == 0)


def cut_rows(runs: Sequence[Run], height: int) -> list[Runs]:
    """Tiles of `height` rows over the runs in order; a tile straddles runs only if their stationary layouts agree."""
    tiles: list[Runs] = []
    tile: list[Run] = []
    room = height
    for run in runs:
        if tile and _layout(tile[-1]) != _layout(run):
            tiles.append(tuple(tile))
            tile, room = [], height
        rows = run.rows
        while rows:
            part = min(rows, room)
            tile.append(Run(run.group, part, run.bits, run.mode, run.stream_bits, run.stationary_bits, run.shifts))
            rows, room = rows - part, room - part
            if not room:
                tiles.append(tuple(tile))
                tile, room = [], height
    if tile:
        tiles.append(tuple(tile))
    return tiles


def _layout(run: Run) -> tuple[int, int] | None:
    return None if run.mode is None else run.mode.layout


def linear_loops(
    tiles: Sequence[Runs],
    widths: tuple[int, ...],
    k: int,
    whole_rows: bool,
    stripe_rows: int,
    slots: int,
    piece_rows: int,
) -> Loops:
    """Tiles of rows over a shared operand (weights); with two slots the next tile arrives meanwhile.

    The first tile, for which nothing runs meanwhile, then arrives in pieces of at most `piece_rows` rows.
    """
    iterations: list[Iteration] = []
    feeds: list[tuple[Runs, int]] = []
    ragged = len(set(widths)) > 1
    blocks = [widths] if whole_rows else [(width,) for width in widths]
    parts = 1 if ragged else len(blocks)
    double = slots > 1
    known: dict[Runs, list[Iteration]] = {}  # equal tiles share their objects: comparing them is then quick
    for number, tile in enumerate(tiles):
        if tile not in known:
            columns = [stripes(tile, block, k, stripe_rows) for block in blocks]
            known[tile] = columns if parts > 1 else [tuple(stripe for column in columns for stripe in column)]
        iterations.extend(known[tile])
        if double:
            following = tiles[number + 1] if number + 1 < len(tiles) else ()
            feeds.extend([(following, 1)] * parts)
        else:
            feeds.extend([(tile, parts)] + [((), 0)] * (parts - 1))
    if double:  # what iteration i requests is first needed by iteration i + 1; the first tile comes before them all
        pieces = [(piece, parts) for piece in cut_rows(tiles[0], piece_rows)]
        return Loops(tuple(iterations), (*pieces, *feeds[:-1]), 1, parts, len(pieces) - 1)
    return Loops(tuple(iterations), tuple(feeds), 0, parts)


def stripes(
    tile: Runs, widths: tuple[int, ...], depth: int, stripe_rows: int, begins: bool = True, ends: bool = True
) -> Iteration:
    """The stripes of a tile for some columns of N over `depth` of K."""
    shared = len(widths) == 1
    rows = enumerate(cut_rows(tile, stripe_rows))
    return tuple(Stripe(part, widths, depth, shared and i > 0, begins, ends) for i, part in rows)


def batched_loops(
    groups: Sequence[tuple[Run, int]], widths: tuple[int, ...], k: int, whole_rows: bool, stripe_rows: int, ahead: int
) -> Loops:
    """One iteration per batch element; `groups` are (the rows of one element, number of elements)."""
    iterations: list[Iteration] = []
    feeds: list[tuple[Runs, int]] = []
    for run, elements in groups:
        tiles = cut_rows([run], stripe_rows)
        blocks = [widths] if whole_rows else [(width,) for width in widths]
        iteration = tuple(Stripe(tile, block, k) for tile in tiles for block in blocks)
        iterations.extend([iteration] * elements)
        feeds.extend([((run,), 1)] * elements)
    return Loops(tuple(iterations), tuple(feeds), ahead, 1)


def vector_loops(tiles: Sequence[Runs], columns: int, slots: int) -> Loops:
    """Tiles of rows for work that no GEMM takes part in."""
    iterations = tuple((Stripe(tile, (columns,), 0),) for tile in tiles)
    return Loops(iterations, tuple((tile, 1) for tile in tiles), slots - 1, 1)


def fold_depths(k: int, fold_depth: int) -> tuple[int, ...]:
    """K cut into folds."""
    return tuple(min(fold_depth, k - start) for start in range(0, k, fold_depth))


def weight_blocks(depths: Sequence[int], step_bits: int, buffer: Buffer) -> tuple[tuple[int, ...], ...]:
    """Pieces of K of `step_bits` for each value, in groups that fit one slot of the weight buffer; one piece must."""
    per_group = buffer.slot_parts(step_bits * depths[0], len(depths))
    return tuple(tuple(depths[start : start + per_group]) for start in range(0, len(depths), per_group))
