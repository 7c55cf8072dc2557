"""Compiled: what a transfer and a fold take, how the next ones follow, and what is left to do; times in cycles.

Shares are rounded down, as bounds need it; how much of a unit's work has been done by now is rounded up, so that what
is left is never too much.
"""

from __future__ import annotations

from mixarray.compiled import compiled
from mixarray.mapping import pipeline_columns as at
from mixarray.mapping.pipeline_columns import Integers

COMPILED_WITH = {"mapping/pipeline_columns.py": "8da859028206e4c0"}


@compiled
def transfer(facts: Integers, clock: Integers, bits: int, wait: int) -> int:
    """One transfer, which takes the channels as `Memory.transfer_cycles` has it; when it is ready."""
    bursts = -(-bits // facts[at.BURST_BITS])
    most = -(-bursts // facts[at.CHANNELS])
    cycles = -(-most * facts[at.BURST_BITS] * facts[at.RATE_CYCLES] // facts[at.RATE_BITS])
    clock[at.DRAM] = max(clock[at.DRAM], wait) + cycles
    clock[at.DRAM_BUSY] += cycles
    return int(clock[at.DRAM] + facts[at.DRAM_LATENCY])


@compiled
def fold(facts: Integers, clock: Integers, load_wait: int, stream_wait: int, cycles: int) -> None:
    """One fold: its load (output-stationary: its drain follows) and its stream."""
    serial, double = facts[at.LOADING] == at.SERIAL, facts[at.LOADING] == at.DOUBLE
    issued, before, loaded = clock[at.ISSUED], clock[at.BEFORE], clock[at.LOADED]
    clock[at.BEFORE] = issued
    clock[at.STREAM_BUSY] += cycles
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
def more_folds(facts: Integers, clock: Integers, folds: int, cycles: int) -> None:
    """Equal folds behind the last one: two of them as they come, the others in the step that then repeats."""
    for _ in range(min(folds, 2)):
        fold(facts, clock, 0, 0, cycles)
    if folds > 2:
        step = max(cycles, facts[at.LOAD]) if facts[at.LOADING] == at.DOUBLE else cycles + facts[at.LOAD]
        step += facts[at.FILL] if facts[at.LOADING] == at.SERIAL else 0
        clock[at.ISSUED] += (folds - 2) * step
        clock[at.BEFORE] += (folds - 2) * step
        clock[at.LOADED] += (folds - 2) * step
        clock[at.STREAM_BUSY] += (folds - 2) * cycles


@compiled
def least_cycles(facts: Integers, clock: Integers) -> int:
    """What the run takes at least, if every unit only has to do the rest of its work."""
    dram = clock[at.DRAM] + max(0, facts[at.ALL_DRAM] - clock[at.DRAM_BUSY])
    vector = clock[at.VECTOR] + max(0, facts[at.ALL_VECTOR] - clock[at.VECTOR_BUSY])
    return int(max(dram, vector, clock[at.ISSUED] + max(0, facts[at.ALL_STREAMS] - clock[at.STREAM_BUSY])))


@compiled
def work(clock: Integers, wait: int, cycles: int) -> None:
    """One job of the vector unit."""
    clock[at.VECTOR] = max(clock[at.VECTOR], wait) + cycles
    clock[at.VECTOR_BUSY] += cycles


@compiled
def _burst(facts: Integers) -> int:
    """Cycles of one burst."""
    return int(-(-facts[at.BURST_BITS] * facts[at.RATE_CYCLES] // facts[at.RATE_BITS]))


@compiled
def share(facts: Integers, clock: Integers, tensor: Integers, tile: Integers, times: int, parts: int) -> int:
    """Bits of times / parts of what a tile of rows has of a tensor, at least. Where that is no whole number the run may
    have moved one bit more by now, in a burst of its own.
    """
    bits, part = tensor[at.BITS] * tile[tensor[at.COLUMN]] * times, tensor[at.ALL] * parts
    if bits % part:
        clock[at.DRAM_BUSY] += _burst(facts)
    return int(bits // part)


@compiled
def elements_share(clock: Integers, operator: Integers, share: int, whole: int) -> int:
    """Elements that share / whole of the rows and columns are for an operator, at least. Where that is no whole number
    the run may have taken one step more by now.
    """
    if operator[at.ELEMENTS] * share % whole:
        clock[at.VECTOR_BUSY] += operator[at.CYCLES]
    return int(operator[at.ELEMENTS] * share // whole)


@compiled
def first_pieces(facts: Integers, tables: tuple[Integers, ...], clock: Integers) -> None:
    """The first tile of rows comes in pieces, however many, of which each may take a burst or a step more."""
    pieces, works = tables[at.TILES][tables[at.ITERATIONS][0, at.TILE], at.ROWS], tables[at.WORKS]
    burst = _burst(facts)
    clock[at.DRAM_BUSY] += pieces * len(tables[at.TENSORS]) * burst
    clock[at.VECTOR_BUSY] += pieces * works[:, at.CYCLES].sum()
