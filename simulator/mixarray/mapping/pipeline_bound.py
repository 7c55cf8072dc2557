"""Compiled: a lower bound of the cycles of a laid out GEMM: the pipeline of `lower`, with equal folds taken together.

The functions here follow those of `lower`, `transfers`, `weights` and `partial_sums` by name. Every wait is one that
the jobs of the Schedule have too, and every time is at most theirs; what is left out (waits for parameters, parts of a
tile that need not come together) can only make the real run longer. Tables are of 64-bit integers, whose columns
`pipeline_columns` names; times are in cycles.
"""

from __future__ import annotations

import numpy as np

from mixarray.compiled import compiled
from mixarray.mapping import pipeline_columns as at
from mixarray.mapping.pipeline_columns import Integers
from mixarray.mapping.unit_bound import (
    elements_share,
    first_pieces,
    fold,
    least_cycles,
    more_folds,
    share,
    transfer,
    work,
)

COMPILED_WITH = {"mapping/pipeline_columns.py": "8da859028206e4c0", "mapping/unit_bound.py": "5e508abf822c7aa9"}

Tables = tuple[Integers, ...]
"""(tensors, works, tiles, stripes, blocks, iterations, fetches, sums, stored)"""


@compiled
def _load(
    facts: Integers, tables: Tables, clock: Integers, stage: int, tile: Integers, times: int, parts: int, wait: int
) -> int:
    """Load times / parts of the share of a tile in all tensors of a stage; when the last is ready (0: none)."""
    tensors, ready = tables[at.TENSORS], 0
    for row in range(len(tensors)):
        if tensors[row, at.STAGE] == stage:
            bits = share(facts, clock, tensors[row], tile, times, parts)
            if bits:
                ready = transfer(facts, clock, bits, wait)
    return ready


@compiled
def _store(
    facts: Integers, tables: Tables, clock: Integers, stage: int, tile: Integers, times: int, parts: int, number: int
) -> None:
    """Store times / parts of the share of a tile in all tensors of a stage, as results `number` of their makers."""
    tensors, works, stored = tables[at.TENSORS], tables[at.WORKS], tables[at.STORED_AT]
    for row in range(len(tensors)):
        if tensors[row, at.STAGE] == stage:
            maker = tensors[row, at.MAKER]
            bits = share(facts, clock, tensors[row], tile, times, parts)
            if bits:
                transfer(facts, clock, bits, works[maker, at.DONE])
                stored[number, maker] = clock[at.DRAM]


@compiled
def _brings(tables: Tables, feed: int) -> bool:
    """Whether a feed brings rows."""
    its = tables[at.ITERATIONS]
    return bool(0 <= feed < len(its) and its[feed, at.TARGET] >= 0)


@compiled
def _made(facts: Integers, tables: Tables, feed: int) -> bool:
    """Whether the operators before the GEMM surely make something of a feed: the last one does."""
    its, works, last = tables[at.ITERATIONS], tables[at.WORKS], -1
    while last + 1 < len(works) and not works[last + 1, at.AFTER]:
        last += 1
    if last < 0 or not _brings(tables, feed):
        return False
    rows = tables[at.TILES][its[its[feed, at.TARGET], at.TILE], at.ROWS]
    return bool(works[last, at.ELEMENTS] * rows >= facts[at.ALL_ROWS] * its[feed, at.FEEDS_ALIKE])


@compiled
def _load_raw(facts: Integers, tables: Tables, clock: Integers, feed: int) -> None:
    its, tiles = tables[at.ITERATIONS], tables[at.TILES]
    if _made(facts, tables, feed):
        taken = clock[at.RAWS] - facts[at.SLOTS]
        wait = its[taken, at.RAW_FREED] if taken >= 0 else 0
        tile = tiles[its[its[feed, at.TARGET], at.TILE]]
        its[feed, at.RAW_READY] = _load(facts, tables, clock, at.RAW, tile, 1, its[feed, at.FEEDS_ALIKE], wait)
        clock[at.RAWS] += 1


@compiled
def _before(facts: Integers, tables: Tables, clock: Integers, feed: int) -> None:
    """Operators before the GEMM on one feed, each waiting for the one before it."""
    its, works = tables[at.ITERATIONS], tables[at.WORKS]
    if not _made(facts, tables, feed):
        return
    rows = tables[at.TILES][its[its[feed, at.TARGET], at.TILE], at.ROWS]
    pieces = feed == 0 and facts[at.FIRST_FITS] == 0  # they are worked on as they come
    ready = facts[at.DRAM_LATENCY] if pieces else max(its[feed, at.RAW_READY], clock[at.READ])
    latency = 0
    for row in range(len(works)):
        if works[row, at.AFTER]:
            break
        elements = elements_share(clock, works[row], rows, facts[at.ALL_ROWS] * its[feed, at.FEEDS_ALIKE])
        if elements:
            work(clock, ready, -(-elements // works[row, at.STEP]) * works[row, at.CYCLES])
            latency = works[row, at.LATENCY]
            ready = ready if pieces else clock[at.VECTOR] + latency
            works[row, at.DONE] = 0 if pieces else ready
    its[feed, at.FEED_READY] = max(clock[at.VECTOR], its[feed, at.RAW_READY]) + latency
    its[clock[at.FEEDS], at.RAW_FREED] = clock[at.VECTOR]
    clock[at.FEEDS] += 1


@compiled
def _load_operands(facts: Integers, tables: Tables, clock: Integers, feed: int) -> None:
    its, tiles = tables[at.ITERATIONS], tables[at.TILES]
    if _brings(tables, feed):
        target, parts = its[its[feed, at.TARGET]], its[feed, at.FEEDS_ALIKE] * facts[at.K]
        tile, values = tiles[target[at.TILE]], target[at.VALUES]
        ready = _load(facts, tables, clock, at.STREAM, tile, values, parts, clock[at.READ])
        its[feed, at.FEED_READY] = max(its[feed, at.FEED_READY], ready)


@compiled
def _load_side(facts: Integers, tables: Tables, clock: Integers, number: int) -> None:
    its = tables[at.ITERATIONS]
    if number < len(its) and its[number, at.ENDS]:
        taken = clock[at.SIDES] - facts[at.SLOTS]
        wait = its[taken, at.SIDE_FREED] if taken >= 0 else 0
        tile = tables[at.TILES][its[number, at.TILE]]
        width = tables[at.BLOCKS][its[number, at.BLOCK], at.WIDTH]
        its[number, at.SIDE_READY] = _load(facts, tables, clock, at.SIDE, tile, width, facts[at.N], wait)
        clock[at.SIDES] += 1


@compiled
def _store_results(facts: Integers, tables: Tables, clock: Integers, feed: int, number: int) -> None:
    """What operators before the GEMM made of a feed for others (it leaves once), and the results of an iteration."""
    its, tiles, blocks = tables[at.ITERATIONS], tables[at.TILES], tables[at.BLOCKS]
    if _brings(tables, feed) and not blocks[its[its[feed, at.TARGET], at.BLOCK], at.COLUMN_TILE]:
        tile = tiles[its[its[feed, at.TARGET], at.TILE]]
        _store(facts, tables, clock, at.FED, tile, 1, its[feed, at.FEEDS_ALIKE], len(its))
    if number >= 0 and its[number, at.ENDS]:
        tile, width = tiles[its[number, at.TILE]], blocks[its[number, at.BLOCK], at.WIDTH]
        _store(facts, tables, clock, at.OUT, tile, width, facts[at.N], clock[at.STORED])
        clock[at.STORED] += 1


@compiled
def _whole_weights(facts: Integers, tables: Tables, clock: Integers) -> None:
    """All weights in parts of 1, 2, 4, ... pieces of N, which together take as long as one transfer."""
    start, busy, pieces = clock[at.DRAM], clock[at.DRAM_BUSY], tables[at.BLOCKS][:, at.PIECES].sum()
    done, size, part = 0, 1, 0
    while done < pieces:
        done, size = min(pieces, done + size), 2 * size
        columns = facts[at.N] if done == pieces else facts[at.N] * done // pieces
        clock[at.DRAM], clock[at.DRAM_BUSY] = start, busy
        bits = facts[at.WEIGHT_BITS] * columns // facts[at.N]
        tables[at.FETCHES][part, at.READY] = transfer(facts, clock, bits, 0)
        part += 1


@compiled
def _fill(facts: Integers, tables: Tables, clock: Integers, number: int) -> None:
    """Fetch tiles of weights, as far ahead as there are slots."""
    its, fetches, ahead = tables[at.ITERATIONS], tables[at.FETCHES], facts[at.WEIGHTS_AHEAD]
    last = its[len(its) - 1, at.FETCH]
    if number < len(its):
        last = min(last, its[number, at.FETCH] + ahead)
    while clock[at.FETCHED] <= last:
        fetch = clock[at.FETCHED]
        wait = fetches[fetch - ahead - 1, at.FREED] if fetch > ahead else 0
        fetches[fetch, at.READY] = transfer(facts, clock, fetches[fetch, at.FETCH_BITS], wait)
        clock[at.FETCHED] += 1


@compiled
def _stripe(facts: Integers, tables: Tables, clock: Integers, number: int, index: int, room: int) -> int:
    """All folds of a stripe, the first of which waits for what its iteration waits for; when its sums are ready."""
    iteration, stripe = tables[at.ITERATIONS][number], tables[at.STRIPES][index]
    tile, block = tables[at.TILES][iteration[at.TILE]], tables[at.BLOCKS][iteration[at.BLOCK]]
    first, fetch = index == tile[at.FIRST_STRIPE], iteration[at.WAITED_FETCH]
    rows = iteration[at.FEED_READY] if first else 0
    weights = tables[at.FETCHES][fetch, at.READY] if first and fetch >= 0 else 0
    values, pieces, full, rest = iteration[at.VALUES], block[at.PIECES], stripe[at.FULL], stripe[at.REST]
    if facts[at.DATAFLOW] == at.OUTPUT_STATIONARY:
        fold(facts, clock, room, max(rows, weights), values * full)
        more_folds(facts, clock, pieces * stripe[at.PARTS] - 1, values * full)
        clock[at.READ] = clock[at.ISSUED]
        return int(clock[at.LOADED] + facts[at.FILL])
    load_wait, stream_wait, folds = weights, max(rows, room), values // tile[at.FOLD_DEPTH]
    if facts[at.DATAFLOW] == at.INPUT_STATIONARY:
        full, rest = full * (block[at.WIDTH] // pieces), rest * (block[at.WIDTH] // pieces)
        load_wait, stream_wait = rows, max(weights, room)
    fold(facts, clock, load_wait, stream_wait, full if folds else rest)
    if folds:
        more_folds(facts, clock, pieces * folds - 1, full)
    if values % tile[at.FOLD_DEPTH]:
        more_folds(facts, clock, pieces if folds else pieces - 1, rest)
    clock[at.READ] = clock[at.LOADED] if facts[at.DATAFLOW] == at.INPUT_STATIONARY else clock[at.ISSUED]
    return int(clock[at.ISSUED] + facts[at.FILL])


@compiled
def _stripes(facts: Integers, tables: Tables, clock: Integers, number: int) -> None:
    its, sums, tiles = tables[at.ITERATIONS], tables[at.SUMS], tables[at.TILES]
    tile, ends = its[number, at.TILE], its[number, at.ENDS]
    for index in range(tiles[tile, at.FIRST_STRIPE], tiles[tile + 1, at.FIRST_STRIPE]):
        room = _take(facts, tables, clock) if its[number, at.BEGINS] else clock[at.RETURNED]
        ready = _stripe(facts, tables, clock, number, index, room)
        if ends or facts[at.SPILLS]:
            bits = tables[at.STRIPES][index, at.HEIGHT] * tables[at.BLOCKS][its[number, at.BLOCK], at.WIDTH]
            last = sums[clock[at.FINISHED]]
            last[at.STRIPE], last[at.ITERATION], last[at.SUM_READY] = index, number, ready
            last[at.SUM_BITS] = 0 if ends else bits * facts[at.EACH_BITS]
            clock[at.FINISHED], clock[at.HELD] = clock[at.FINISHED] + 1, clock[at.HELD] - 1
            clock[at.COMPLETE] = clock[at.FINISHED] if ends else clock[at.COMPLETE]
        following = number + (index + 1 == tiles[tile + 1, at.FIRST_STRIPE])
        if facts[at.SPILLS] and following < len(its) and not its[following, at.BEGINS]:
            _reload(facts, tables, clock)
    read = at.LOADED if facts[at.DATAFLOW] == at.WEIGHT_STATIONARY else at.ISSUED
    tables[at.FETCHES][its[number, at.FETCH], at.FREED] = clock[read]


@compiled
def _take(facts: Integers, tables: Tables, clock: Integers) -> int:
    """Occupy an accumulator slot, for which the oldest sums leave; when it is free."""
    waiting = clock[at.FINISHED] - clock[at.DRAINED]
    while waiting > 0 and waiting + clock[at.HELD] >= facts[at.SUM_SLOTS]:
        _leave(facts, tables, clock)
        waiting -= 1
    freed = clock[at.TAKEN] - facts[at.SUM_SLOTS]
    clock[at.TAKEN], clock[at.HELD] = clock[at.TAKEN] + 1, clock[at.HELD] + 1
    return int(tables[at.SUMS][freed, at.SUM_FREED]) if freed >= 0 else 0


@compiled
def _reload(facts: Integers, tables: Tables, clock: Integers) -> None:
    """Bring back the sums of the next stripe, those that left first, once they are out."""
    sums = tables[at.SUMS]
    while clock[at.OUTSIDE] <= clock[at.BACK]:
        _leave(facts, tables, clock)
    wait, back = _take(facts, tables, clock), clock[at.BACK]
    clock[at.RETURNED] = transfer(facts, clock, sums[back, at.OUT_BITS], max(wait, sums[back, at.OUT_READY]))
    clock[at.BACK] = back + 1


@compiled
def _leave(facts: Integers, tables: Tables, clock: Integers) -> None:
    """The oldest sums go to the vector unit, or out."""
    sums, done, out = tables[at.SUMS], clock[at.DRAINED], clock[at.OUTSIDE]
    if sums[done, at.SUM_BITS]:
        sums[out, at.OUT_BITS] = sums[done, at.SUM_BITS]
        sums[out, at.OUT_READY] = transfer(facts, clock, sums[done, at.SUM_BITS], sums[done, at.SUM_READY])
        sums[done, at.SUM_FREED], clock[at.OUTSIDE] = clock[at.DRAM], out + 1
    else:
        _after(facts, tables, clock, done)
    clock[at.DRAINED] = done + 1


@compiled
def _after(facts: Integers, tables: Tables, clock: Integers, done: int) -> None:
    """Operators after the GEMM on the sums with that number."""
    works, stored, sums, its = tables[at.WORKS], tables[at.STORED_AT], tables[at.SUMS], tables[at.ITERATIONS]
    index, number = sums[done, at.STRIPE], sums[done, at.ITERATION]
    tile, width = its[number, at.TILE], tables[at.BLOCKS][its[number, at.BLOCK], at.WIDTH]
    sums_share, whole = tables[at.STRIPES][index, at.HEIGHT] * width, facts[at.ALL_ROWS] * facts[at.N]
    side, freed = its[number, at.SIDE_READY], sums[done, at.SUM_READY] - facts[at.FILL]
    for row in range(len(works)):
        elements = elements_share(clock, works[row], sums_share, whole) if works[row, at.AFTER] else 0
        if not elements:
            continue
        wait = max(side, sums[done, at.SUM_READY]) if works[row, at.READS_SUMS] else side
        if works[row, at.EARLIER] >= 0:
            wait = max(wait, works[works[row, at.EARLIER], at.DONE])
        if index == tables[at.TILES][tile, at.FIRST_STRIPE] and clock[at.STORED] >= facts[at.SLOTS]:
            wait = max(wait, stored[clock[at.STORED] - facts[at.SLOTS], row])
        work(clock, wait, -(-elements // works[row, at.STEP]) * works[row, at.CYCLES])
        works[row, at.DONE] = clock[at.VECTOR] + works[row, at.LATENCY]
        clock[at.FINISH] = max(clock[at.FINISH], works[row, at.DONE])
        side, freed = 0, clock[at.VECTOR]
    sums[done, at.SUM_FREED] = freed
    if index == tables[at.TILES][tile + 1, at.FIRST_STRIPE] - 1:
        its[clock[at.STORED], at.SIDE_FREED] = freed


@compiled
def pipeline_cycles(facts: Integers, tables: Tables) -> int:
    """At most the cycles that the chain takes alone, from an empty pipeline; more than LIMIT need not be exact."""
    ahead, count, clock = facts[at.SLOTS] - 1, len(tables[at.ITERATIONS]), np.zeros(at.CLOCK, np.int64)
    clock[at.DRAM] = clock[at.DRAM_BUSY] = facts[at.FIRST_CYCLES]
    if not facts[at.FIRST_FITS]:
        first_pieces(facts, tables, clock)
    for step in range(-2 * ahead, count + 1):
        feed = step + ahead
        if step == 0:
            for number in range(ahead):
                _load_side(facts, tables, clock, number)
            if facts[at.WHOLE_WEIGHTS]:
                _whole_weights(facts, tables, clock)
        elif step > 0:
            _stripes(facts, tables, clock, step - 1)
        _load_raw(facts, tables, clock, feed + ahead)
        _before(facts, tables, clock, feed)
        while clock[at.DRAINED] < clock[at.COMPLETE]:
            _leave(facts, tables, clock)
        _load_operands(facts, tables, clock, feed)
        if step >= 0:
            _load_side(facts, tables, clock, feed)
            if not facts[at.WHOLE_WEIGHTS]:
                _fill(facts, tables, clock, step)
        _store_results(facts, tables, clock, feed, step - 1)
        if least_cycles(facts, clock) > facts[at.LIMIT]:
            return least_cycles(facts, clock)
    return int(max(clock[at.FINISH], clock[at.DRAM] + facts[at.DRAM_LATENCY]))
