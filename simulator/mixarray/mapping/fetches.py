"""How the weights of an operator are divided into fetches from DRAM, and which jobs of the array read each of them."""

from __future__ import annotations

from collections.abc import Iterator

from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.tiles import Run, weight_blocks

Block = tuple[int, int]
"""One fetch: its bits, and how many jobs of the array read from it."""


def fits_slot(plan: ChainPlan, cuts: Cuts) -> bool:
    """Whether all weights of a chain fit one slot of the weight buffer."""
    return 0 < plan.weight_bits <= cuts.accelerator.buffers.weight.slot_bits


def whole_fetch(plan: ChainPlan, cuts: Cuts) -> list[Block]:
    """An operator that fits a slot, in parts of 1, 2, 4, ... pieces of N as its first tile of rows reads them.

    The array starts when the first piece is there. Doubling keeps the parts few, and is quick enough: reading half as
    fast as the channel delivers, or slower, the array never waits again.
    """
    # weights that stay: a tile is one stripe for each piece of N, and nothing comes twice
    stripes = [stripe for iteration in plan.loops.iterations[: plan.loops.parts] for stripe in iteration]
    pieces = [(width, stripe.runs[0]) for stripe in stripes for width in stripe.widths]
    columns, end = sum(width for width, _ in pieces), 0
    blocks = []
    for part in _doubling(pieces):
        start, end = end, end + sum(width for width, _ in part)
        bits = plan.weight_bits * end // columns - plan.weight_bits * start // columns
        blocks.append((bits, sum(_readers(plan.k, width, run, cuts) for width, run in part)))
    return blocks


def _doubling(pieces: list[tuple[int, Run]]) -> Iterator[list[tuple[int, Run]]]:
    """The list in parts of 1, 2, 4, ... entries."""
    start, size = 0, 1
    while start < len(pieces):
        yield pieces[start : start + size]
        start, size = start + size, 2 * size


def _readers(k: int, width: int, run: Run, cuts: Cuts) -> int:
    """Jobs of the array that read the weights of one piece of N for the rows of a run."""
    return len(cuts.depths(k, run, width, weights=True)) * cuts.readings(run)


def column_fetches(plan: ChainPlan, cuts: Cuts) -> list[list[Block]]:
    """The fetches of each iteration of a chain whose weights come piece of N by piece of N, for every tile anew."""
    known: dict[tuple[int, Run], list[Block]] = {}
    fetches: list[list[Block]] = []
    for iteration in plan.loops.iterations:
        blocks: list[Block] = []
        fetches.append(blocks)
        for stripe in iteration:
            for width in stripe.widths:
                key = width, stripe.runs[0]
                if key not in known:
                    known[key] = _column(plan.k, *key, cuts)
                if stripe.again and len(known[key]) == 1:
                    bits, readers = blocks[-1]
                    blocks[-1] = bits, readers + known[key][0][1]
                else:
                    blocks.extend(known[key])
    return fetches


def _column(k: int, width: int, run: Run, cuts: Cuts) -> list[Block]:
    """The fetches for one piece of N and the rows of a run."""
    bits = width * run.stationary_bits
    depths = cuts.depths(k, run, width, weights=True)
    groups = weight_blocks(depths, bits, cuts.accelerator.buffers.weight.slot_bits)
    times = cuts.readings(run)
    if len(groups) == 1:
        return [(k * bits, len(depths) * times)]
    return [(sum(group) * bits, len(group)) for group in groups] * times
