"""How the weights of an operator are divided into fetches from DRAM, and which jobs of the array read each of them."""

from __future__ import annotations

from collections.abc import Iterator

from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.tiles import Iteration, Run, Stripe, weight_blocks

Block = tuple[int, int]
"""One fetch: its bits, and how many jobs of the array read from it."""


def fetched_bits(plan: ChainPlan, cuts: Cuts) -> int:
    """All weights of a chain that come from DRAM: once where they stay, else as often as its loops ask for them."""
    if plan.holding.weights_whole or not plan.weight_bits:
        return plan.weight_bits
    if plan.loops.weight_tiles:
        return sum(plan.loops.weight_bits)
    return sum(bits for blocks in column_fetches(plan, cuts) for bits, _ in blocks)


def whole_fetch(plan: ChainPlan, cuts: Cuts) -> list[Block]:
    """An operator that fits its part of the buffer, in parts of 1, 2, 4, ... pieces of N as its first tile reads them.

    The array starts when the first piece is there. Doubling keeps the parts few, and is quick enough: reading half as
    fast as the channel delivers, or slower, the array never waits again.
    """
    pieces = [piece for iteration in plan.loops.iterations[: plan.loops.parts] for piece in _pieces(iteration, cuts)]
    columns, end = sum(width for width, _ in pieces), 0
    blocks = []
    for part in _doubling(pieces):
        start, end = end, end + sum(width for width, _ in part)
        bits = plan.weight_bits * end // columns - plan.weight_bits * start // columns
        blocks.append((bits, sum(readers for _, readers in part)))
    return blocks


def _pieces(iteration: Iteration, cuts: Cuts) -> Iterator[tuple[int, int]]:
    """(columns, jobs that read them before the next) of the pieces of N of an iteration, as they are first read."""
    if len(iteration[0].widths) > 1:  # a stripe covers all of them; later stripes find them in the buffer
        yield from ((width, _readers(iteration[0], width, cuts)) for width in iteration[0].widths)
        return
    readers = [_readers(stripe, stripe.widths[0], cuts) for stripe in iteration]
    starts = [number for number, stripe in enumerate(iteration) if not stripe.again]
    for start, end in zip(starts, [*starts[1:], len(iteration)], strict=True):
        yield iteration[start].widths[0], sum(readers[start:end])


def _doubling(pieces: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """The list in parts of 1, 2, 4, ... entries."""
    start, size = 0, 1
    while start < len(pieces):
        yield pieces[start : start + size]
        start, size = start + size, 2 * size


def _readers(stripe: Stripe, width: int, cuts: Cuts) -> int:
    """Jobs of the array that read the weights of one piece of N for a stripe."""
    run = stripe.runs[0]
    return len(cuts.depths(stripe.depth, run, width, weights=True)) * cuts.readings(run)


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
    groups = weight_blocks(depths, bits, cuts.accelerator.buffers.weight)
    times = cuts.readings(run)
    if len(groups) == 1:
        return [(k * bits, len(depths) * times)]
    return [(sum(group) * bits, len(group)) for group in groups] * times


def tile_fetches(plan: ChainPlan, cuts: Cuts) -> tuple[list[Block], list[int]]:
    """One fetch for every tile of weights, and for each iteration how many jobs have read its fetch before."""
    loops = plan.loops
    known: dict[int, int] = {}
    readers = [0] * len(loops.weight_bits)
    before: list[int] = []
    for number, iteration in zip(loops.weight_tiles, loops.iterations, strict=True):
        if id(iteration) not in known:  # iterations that are alike share their stripes
            known[id(iteration)] = sum(_readers(stripe, width, cuts) for stripe in iteration for width in stripe.widths)
        before.append(readers[number])
        readers[number] += known[id(iteration)]
    return list(zip(loops.weight_bits, readers, strict=True)), before
