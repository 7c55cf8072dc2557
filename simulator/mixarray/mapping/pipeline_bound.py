"""Compiled: a lower bound of the cycles of a laid out GEMM: the pipeline of `lower`, with equal folds taken together.

The functions here follow those of `lower`, `transfers` and `weights` by name. Every wait is one that the jobs of the
Schedule have too, and every time is at most theirs: what is left out (waits for parameters, partial sums on their way,
parts of a tile that need not come together) can only make the real run longer. A test holds the bound against the
engine in all dataflows.

Everything is in tables of 64-bit integers, whose columns `pipeline_columns` names; times are in cycles.
"""

from __future__ import annotations

import numpy as np

from mixarray.compiled import compiled
from mixarray.mapping import pipeline_columns as at
from mixarray.mapping.pipeline_columns import Integers


@compiled
def _transfer(facts: Integers, bits: int) -> int:
    """Cycles of one transfer, as `Memory.transfer_cycles` has them."""
    bursts = -(-bits // facts[at.BURST_BITS])
    most = -(-bursts // facts[at.CHANNELS])
    return int(-(-most * facts[at.BURST_BITS] * facts[at.RATE_CYCLES] // facts[at.RATE_BITS]))


@compiled
def _share(facts: Integers, tensor: Integers, tile: Integers, times: int, parts: int) -> int:
    """Bits of times / parts of what a tile of rows has of a tensor."""
    if tensor[at.VARIES]:
        return int(tensor[at.BITS] * (tile[at.VARYING] * times) // (facts[at.ALL_VARYING] * parts))
    return int(tensor[at.BITS] * (tile[at.ROWS] * times) // (facts[at.ALL_ROWS] * parts))


@compiled
def _move(
    facts: Integers, tensors: Integers, clock: Integers, stage: int, tile: Integers, times: int, parts: int, wait: int
) -> int:
    """Load times / parts of the share of a tile in all tensors of a stage; when the last is ready (0: none)."""
    ready = 0
    for row in range(len(tensors)):
        if tensors[row, at.STAGE] == stage:
            bits = _share(facts, tensors[row], tile, times, parts)
            if bits:
                clock[at.DRAM] = max(clock[at.DRAM], wait) + _transfer(facts, bits)
                ready = clock[at.DRAM] + facts[at.DRAM_LATENCY]
    return int(ready)


@compiled
def _brings(its: Integers, feed: int) -> bool:
    """Whether a feed brings rows."""
    return bool(0 <= feed < len(its) and its[feed, at.TARGET] >= 0)


@compiled
def _load_raw(facts: Integers, tensors: Integers, tiles: Integers, its: Integers, clock: Integers, feed: int) -> None:
    if _brings(its, feed):
        taken = clock[at.RAWS] - facts[at.SLOTS]
        wait = its[taken, at.RAW_FREED] if taken >= 0 else 0
        tile = tiles[its[its[feed, at.TARGET], at.TILE]]
        its[feed, at.RAW_READY] = _move(facts, tensors, clock, at.RAW, tile, 1, its[feed, at.FEEDS_ALIKE], wait)
        clock[at.RAWS] += 1


@compiled
def _before(facts: Integers, works: Integers, tiles: Integers, its: Integers, clock: Integers, feed: int) -> None:
    """Operators before the GEMM on one feed, each waiting for the one before it."""
    if not _brings(its, feed) or not len(works) or works[0, at.AFTER]:
        return
    rows = tiles[its[its[feed, at.TARGET], at.TILE], at.ROWS]
    pieces = feed == 0 and facts[at.FIRST_FITS] == 0  # they are worked on as they come
    ready = facts[at.DRAM_LATENCY] if pieces else max(its[feed, at.RAW_READY], clock[at.READ])
    latency = 0
    for row in range(len(works)):
        elements = works[row, at.ELEMENTS] * rows // (facts[at.ALL_ROWS] * its[feed, at.FEEDS_ALIKE])
        if elements and not works[row, at.AFTER]:
            clock[at.VECTOR] = (
                max(clock[at.VECTOR], ready) + -(-elements // works[row, at.STEP]) * works[row, at.CYCLES]
            )
            latency = works[row, at.LATENCY]
            ready = ready if pieces else clock[at.VECTOR] + latency
            works[row, at.DONE] = 0 if pieces else ready
    its[feed, at.FEED_READY] = max(clock[at.VECTOR], its[feed, at.RAW_READY]) + latency
    its[clock[at.FEEDS], at.RAW_FREED] = clock[at.VECTOR]
    clock[at.FEEDS] += 1


@compiled
def _send(
    facts: Integers, tensors: Integers, works: Integers, clock: Integers, stage: int, tile: Integers, times: int,
    parts: int, out: Integers,
) -> None:  # fmt: skip
    """Store times / parts of the share of a tile in all tensors of a stage; out[work]: when the channel is done."""
    for row in range(len(tensors)):
        if tensors[row, at.STAGE] == stage:
            bits, maker = _share(facts, tensors[row], tile, times, parts), tensors[row, at.MAKER]
            if bits:
                clock[at.DRAM] = max(clock[at.DRAM], works[maker, at.DONE]) + _transfer(facts, bits)
                out[maker] = clock[at.DRAM]


@compiled
def _load_operands(
    facts: Integers, tensors: Integers, tiles: Integers, its: Integers, clock: Integers, feed: int
) -> None:
    if _brings(its, feed):
        target, parts = its[its[feed, at.TARGET]], its[feed, at.FEEDS_ALIKE] * facts[at.K]
        tile, values = tiles[target[at.TILE]], target[at.VALUES]
        ready = _move(facts, tensors, clock, at.STREAM, tile, values, parts, clock[at.READ])
        its[feed, at.FEED_READY] = max(its[feed, at.FEED_READY], ready)


@compiled
def _load_side(
    facts: Integers, tensors: Integers, tiles: Integers, blocks: Integers, its: Integers, clock: Integers, number: int
) -> None:
    if number < len(its) and its[number, at.ENDS]:
        taken = clock[at.SIDES] - facts[at.SLOTS]
        wait = its[taken, at.SIDE_FREED] if taken >= 0 else 0
        tile, width = tiles[its[number, at.TILE]], blocks[its[number, at.BLOCK], at.WIDTH]
        its[number, at.SIDE_READY] = _move(facts, tensors, clock, at.SIDE, tile, width, facts[at.N], wait)
        clock[at.SIDES] += 1


@compiled
def _whole_weights(facts: Integers, blocks: Integers, fetches: Integers, clock: Integers) -> None:
    """All weights in parts of 1, 2, 4, ... pieces of N."""
    start, pieces, done, size, part = clock[at.DRAM], blocks[:, at.PIECES].sum(), 0, 1, 0
    while done < pieces:
        done, size = min(pieces, done + size), 2 * size
        columns = facts[at.N] if done == pieces else facts[at.N] * done // pieces
        clock[at.DRAM] = start + _transfer(facts, facts[at.WEIGHT_BITS] * columns // facts[at.N])
        fetches[part, at.READY] = clock[at.DRAM] + facts[at.DRAM_LATENCY]
        part += 1


@compiled
def _fill(facts: Integers, its: Integers, fetches: Integers, clock: Integers, number: int) -> None:
    """Fetch tiles of weights, as far ahead as there are slots."""
    ahead, last = facts[at.WEIGHTS_AHEAD], its[len(its) - 1, at.FETCH]
    if number < len(its):
        last = min(last, its[number, at.FETCH] + ahead)
    while clock[at.FETCHED] <= last:
        fetch = clock[at.FETCHED]
        wait = fetches[fetch - ahead - 1, at.FREED] if fetch > ahead else 0
        clock[at.DRAM] = max(clock[at.DRAM], wait) + _transfer(facts, fetches[fetch, at.FETCH_BITS])
        fetches[fetch, at.READY] = clock[at.DRAM] + facts[at.DRAM_LATENCY]
        clock[at.FETCHED] += 1


@compiled
def _fold(facts: Integers, clock: Integers, load_wait: int, stream_wait: int, cycles: int) -> None:
    """One fold: its load (output-stationary: its drain follows) and its stream."""
    serial, double = facts[at.LOADING] == at.SERIAL, facts[at.LOADING] == at.DOUBLE
    issued, before, loaded = clock[at.ISSUED], clock[at.BEFORE], clock[at.LOADED]
    clock[at.BEFORE] = issued
    if facts[at.DATAFLOW] == at.OUTPUT_STATIONARY:
        # LOADED is when the last drain was issued; in its second register the next sums start with that drain
        free = loaded - facts[at.LOAD] if double else loaded + (facts[at.FILL] if serial and loaded else 0)
        clock[at.ISSUED] = max(issued, free, stream_wait) + cycles
        clock[at.LOADED] = max(loaded, clock[at.ISSUED], load_wait) + facts[at.LOAD]
        return
    free = before if double else issued + (facts[at.FILL] if serial and issued else 0)
    clock[at.LOADED] = max(loaded, free, load_wait) + facts[at.LOAD]
    clock[at.ISSUED] = max(issued, clock[at.LOADED], stream_wait) + cycles


@compiled
def _folds(facts: Integers, clock: Integers, folds: int, cycles: int) -> None:
    """Equal folds behind the last one: two of them as they come, the others in the step that then repeats."""
    for _ in range(min(folds, 2)):
        _fold(facts, clock, 0, 0, cycles)
    if folds > 2:
        step = max(cycles, facts[at.LOAD]) if facts[at.LOADING] == at.DOUBLE else cycles + facts[at.LOAD]
        step += facts[at.FILL] if facts[at.LOADING] == at.SERIAL else 0
        clock[at.ISSUED] += (folds - 2) * step
        clock[at.BEFORE] += (folds - 2) * step
        clock[at.LOADED] += (folds - 2) * step


@compiled
def _stripe(
    facts: Integers, tile: Integers, stripe: Integers, block: Integers, clock: Integers, values: int, rows_wait: int,
    weights_wait: int, room: int,
) -> int:  # fmt: skip
    """All folds of a stripe; when its sums are ready."""
    if facts[at.DATAFLOW] == at.OUTPUT_STATIONARY:
        _fold(facts, clock, room, max(rows_wait, weights_wait), values * stripe[at.FULL])
        _folds(facts, clock, block[at.PIECES] * stripe[at.PARTS] - 1, values * stripe[at.FULL])
        clock[at.READ] = clock[at.ISSUED]
        return int(clock[at.LOADED] + facts[at.FILL])
    pieces, full, rest, folds = block[at.PIECES], stripe[at.FULL], stripe[at.REST], values // tile[at.FOLD_DEPTH]
    load_wait, stream_wait = weights_wait, max(rows_wait, room)
    if facts[at.DATAFLOW] == at.INPUT_STATIONARY:
        full, rest = full * (block[at.WIDTH] // pieces), rest * (block[at.WIDTH] // pieces)
        load_wait, stream_wait = rows_wait, max(weights_wait, room)
    _fold(facts, clock, load_wait, stream_wait, full if folds else rest)
    if folds:
        _folds(facts, clock, pieces * folds - 1, full)
    if values % tile[at.FOLD_DEPTH]:
        _folds(facts, clock, pieces if folds else pieces - 1, rest)
    clock[at.READ] = clock[at.LOADED] if facts[at.DATAFLOW] == at.INPUT_STATIONARY else clock[at.ISSUED]
    return int(clock[at.ISSUED] + facts[at.FILL])


@compiled
def _stripes(
    facts: Integers, works: Integers, tiles: Integers, stripes: Integers, blocks: Integers, its: Integers,
    fetches: Integers, sums: Integers, stored: Integers, clock: Integers, number: int,
) -> None:  # fmt: skip
    tile, block, ends = its[number, at.TILE], blocks[its[number, at.BLOCK]], its[number, at.ENDS]
    values, fetch = its[number, at.VALUES], its[number, at.WAITED_FETCH]
    rows_wait, weights_wait = its[number, at.FEED_READY], fetches[fetch, at.READY] if fetch >= 0 else 0
    for stripe in range(tiles[tile, at.FIRST_STRIPE], tiles[tile + 1, at.FIRST_STRIPE]):
        room = clock[at.RETURNED]
        if its[number, at.BEGINS]:
            room = _take(facts, works, tiles, stripes, blocks, its, sums, stored, clock)
        ready = _stripe(facts, tiles[tile], stripes[stripe], block, clock, values, rows_wait, weights_wait, room)
        rows_wait = weights_wait = 0
        if ends or facts[at.SPILLS]:
            last = clock[at.SUMS]
            sums[last, at.STRIPE], sums[last, at.ITERATION], sums[last, at.SUM_READY] = stripe, number, ready
            sums[last, at.SUM_BITS] = 0 if ends else stripes[stripe, at.HEIGHT] * block[at.WIDTH] * facts[at.EACH_BITS]
            clock[at.SUMS], clock[at.HELD] = last + 1, clock[at.HELD] - 1
            clock[at.COMPLETE] = last + 1 if ends else clock[at.COMPLETE]
        follows = number if stripe + 1 < tiles[tile + 1, at.FIRST_STRIPE] else number + 1
        if facts[at.SPILLS] and follows < len(its) and not its[follows, at.BEGINS]:
            _reload(facts, works, tiles, stripes, blocks, its, sums, stored, clock)
    stationary = facts[at.DATAFLOW] == at.WEIGHT_STATIONARY
    fetches[its[number, at.FETCH], at.FREED] = clock[at.LOADED if stationary else at.ISSUED]


@compiled
def _take(
    facts: Integers, works: Integers, tiles: Integers, stripes: Integers, blocks: Integers, its: Integers,
    sums: Integers, stored: Integers, clock: Integers,
) -> int:  # fmt: skip
    """Occupy an accumulator slot, for which the oldest sums leave; when it is free."""
    waiting = clock[at.SUMS] - clock[at.DRAINED]
    while waiting > 0 and waiting + clock[at.HELD] >= facts[at.SUM_SLOTS]:
        _leave(facts, works, tiles, stripes, blocks, its, sums, stored, clock)
        waiting -= 1
    freed = clock[at.TAKEN] - facts[at.SUM_SLOTS]
    clock[at.TAKEN], clock[at.HELD] = clock[at.TAKEN] + 1, clock[at.HELD] + 1
    return int(sums[freed, at.SUM_FREED]) if freed >= 0 else 0


@compiled
def _reload(
    facts: Integers, works: Integers, tiles: Integers, stripes: Integers, blocks: Integers, its: Integers,
    sums: Integers, stored: Integers, clock: Integers,
) -> None:  # fmt: skip
    """Bring back the sums of the next stripe, those that left first, once they are out."""
    while clock[at.OUTSIDE] <= clock[at.BACK]:
        _leave(facts, works, tiles, stripes, blocks, its, sums, stored, clock)
    wait = _take(facts, works, tiles, stripes, blocks, its, sums, stored, clock)
    moved, out = sums[clock[at.BACK], at.OUT_BITS], sums[clock[at.BACK], at.OUT_READY]
    clock[at.DRAM] = max(clock[at.DRAM], wait, out) + _transfer(facts, moved)
    clock[at.RETURNED], clock[at.BACK] = clock[at.DRAM] + facts[at.DRAM_LATENCY], clock[at.BACK] + 1


@compiled
def _leave(
    facts: Integers, works: Integers, tiles: Integers, stripes: Integers, blocks: Integers, its: Integers,
    sums: Integers, stored: Integers, clock: Integers,
) -> None:  # fmt: skip
    """The oldest sums go to the vector unit, or out."""
    done, out = clock[at.DRAINED], clock[at.OUTSIDE]
    if sums[done, at.SUM_BITS]:
        clock[at.DRAM] = max(clock[at.DRAM], sums[done, at.SUM_READY]) + _transfer(facts, sums[done, at.SUM_BITS])
        sums[out, at.OUT_BITS], sums[out, at.OUT_READY] = (
            sums[done, at.SUM_BITS],
            clock[at.DRAM] + facts[at.DRAM_LATENCY],
        )
        sums[done, at.SUM_FREED], clock[at.OUTSIDE] = clock[at.DRAM], out + 1
    else:
        _after(facts, works, tiles, stripes, blocks, its, sums, stored, clock)
    clock[at.DRAINED] = done + 1


@compiled
def _after(
    facts: Integers, works: Integers, tiles: Integers, stripes: Integers, blocks: Integers, its: Integers,
    sums: Integers, stored: Integers, clock: Integers,
) -> None:  # fmt: skip
    """Operators after the GEMM on the oldest stripe that waits for them; stored[n, work]: its n-th results are out."""
    done = clock[at.DRAINED]
    stripe, number = sums[done, at.STRIPE], sums[done, at.ITERATION]
    tile, width = its[number, at.TILE], blocks[its[number, at.BLOCK], at.WIDTH]
    side = its[number, at.SIDE_READY]
    for row in range(len(works)):
        elements = works[row, at.ELEMENTS] * stripes[stripe, at.HEIGHT] * width // (facts[at.ALL_ROWS] * facts[at.N])
        if not works[row, at.AFTER] or not elements:
            continue
        wait = max(side, sums[done, at.SUM_READY]) if works[row, at.READS_SUMS] else side
        if works[row, at.EARLIER] >= 0:
            wait = max(wait, works[works[row, at.EARLIER], at.DONE])
        if stripe == tiles[tile, at.FIRST_STRIPE] and clock[at.STORED] >= facts[at.SLOTS]:
            wait = max(wait, stored[clock[at.STORED] - facts[at.SLOTS], row])
        clock[at.VECTOR] = max(clock[at.VECTOR], wait) + -(-elements // works[row, at.STEP]) * works[row, at.CYCLES]
        works[row, at.DONE] = clock[at.VECTOR] + works[row, at.LATENCY]
        clock[at.FINISH] = max(clock[at.FINISH], works[row, at.DONE])
        side = 0
    sums[done, at.SUM_FREED] = clock[at.VECTOR]
    if stripe == tiles[tile + 1, at.FIRST_STRIPE] - 1:
        its[clock[at.STORED], at.SIDE_FREED] = clock[at.VECTOR]


@compiled
def pipeline_cycles(
    facts: Integers, tensors: Integers, works: Integers, tiles: Integers, stripes: Integers, blocks: Integers,
    its: Integers, fetches: Integers,
) -> int:  # fmt: skip
    """At most the cycles that the chain takes alone, from an empty pipeline. Fills in the times of its tables."""
    ahead = facts[at.SLOTS] - 1
    clock, stored = np.zeros(at.CLOCK, np.int64), np.zeros((len(its) + 1, len(works) + 1), np.int64)
    visits = len(its) // (len(tiles) - 1)
    sums = np.zeros((len(stripes) * visits + 1, at.SUM_COLUMNS), np.int64)
    clock[at.DRAM] = facts[at.FIRST_CYCLES]
    for step in range(-2 * ahead, len(its) + 1):
        feed = step + ahead
        if step == 0:
            for number in range(ahead):
                _load_side(facts, tensors, tiles, blocks, its, clock, number)
            if facts[at.WHOLE_WEIGHTS]:
                _whole_weights(facts, blocks, fetches, clock)
        elif step > 0:
            _stripes(facts, works, tiles, stripes, blocks, its, fetches, sums, stored, clock, step - 1)
        _load_raw(facts, tensors, tiles, its, clock, feed + ahead)
        _before(facts, works, tiles, its, clock, feed)
        while clock[at.DRAINED] < clock[at.COMPLETE]:
            _leave(facts, works, tiles, stripes, blocks, its, sums, stored, clock)
        _load_operands(facts, tensors, tiles, its, clock, feed)
        if step >= 0:
            _load_side(facts, tensors, tiles, blocks, its, clock, feed)
            if not facts[at.WHOLE_WEIGHTS]:
                _fill(facts, its, fetches, clock, step)
        if _brings(its, feed) and not blocks[its[its[feed, at.TARGET], at.BLOCK], at.COLUMN_TILE]:  # it leaves once
            tile, parts = tiles[its[its[feed, at.TARGET], at.TILE]], its[feed, at.FEEDS_ALIKE]
            _send(facts, tensors, works, clock, at.FED, tile, 1, parts, stored[-1])
        if step > 0 and its[step - 1, at.ENDS]:
            tile, width = tiles[its[step - 1, at.TILE]], blocks[its[step - 1, at.BLOCK], at.WIDTH]
            _send(facts, tensors, works, clock, at.OUT, tile, width, facts[at.N], stored[clock[at.STORED]])
            clock[at.STORED] += 1
    return int(max(clock[at.FINISH], clock[at.DRAM] + facts[at.DRAM_LATENCY]))
