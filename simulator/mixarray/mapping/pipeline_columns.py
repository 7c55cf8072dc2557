"""The tables of the pipeline's bound: vectors and matrices of 64-bit integers, and what their entries are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

SERIAL, SINGLE, DOUBLE = range(3)
WEIGHT_STATIONARY, INPUT_STATIONARY, OUTPUT_STATIONARY = range(3)
RAW, STREAM, SIDE, FED, OUT = range(5)

# the tables by their places
TENSORS, WORKS, TILES, STRIPES, BLOCKS, ITERATIONS, FETCHES, SUMS, STORED_AT = range(9)

# facts, a vector: DRAM (bits per cycle as a fraction), array, totals of the chain, the choice
RATE_BITS, RATE_CYCLES, BURST_BITS, CHANNELS, DRAM_LATENCY = range(5)
DATAFLOW, LOADING, FILL, LOAD, SUM_SLOTS = range(5, 10)
N, K, ALL_ROWS, WEIGHT_BITS = range(10, 14)
DEPTH, SLOTS, WHOLE_WEIGHTS, WEIGHTS_AHEAD, FIRST_FITS, FIRST_CYCLES, SPILLS, EACH_BITS = range(14, 22)
# facts about all of the work: cycles of the units at least, and those at which a bound need not be finished
ALL_DRAM, ALL_VECTOR, ALL_STREAMS, LIMIT, FACTS = range(22, 27)

# tensors: bits in all, the column of tiles that says how they divide, the vector work that makes them, stage; that
# column, summed over all rows
BITS, COLUMN, MAKER, STAGE, ALL = range(5)
# works, vector operators before and after the GEMM: every STEP elements take CYCLES; DONE: when the last job was ready
ELEMENTS, STEP, CYCLES, LATENCY, EARLIER, READS_SUMS, AFTER, DONE = range(8)
# tiles of rows, with one more row at the end, and from WEIGHTED on rows times the bits of each, as tensors have them;
# stripes; blocks of columns of an iteration
ROWS, VALUE_BITS, FOLD_DEPTH, FIRST_STRIPE, WEIGHTED = range(5)
HEIGHT, FULL, REST, PARTS, TIMES = range(5)
WIDTH, PIECES, COLUMN_TILE = range(3)
# iterations: their tile of rows and block; values of K in them, and whether these are the first and the last; the
# fetch (or part of the only one) whose weights they wait for (-1: none), and the one that they read; of the feed of the
# same number, the iteration for which it brings rows (-1: none), and how many feeds bring the same; then times
TILE, BLOCK, VALUES, BEGINS, ENDS, WAITED_FETCH, FETCH, TARGET, FEEDS_ALIKE = range(9)
RAW_READY, RAW_FREED, FEED_READY, SIDE_READY, SIDE_FREED, ITERATION_COLUMNS = range(9, 15)
# fetches of weights (FETCH_BITS), or parts of the only one
FETCH_BITS, READY, FREED = range(3)
# stored: when the channel was done with the n-th results (row) of a vector work (column)
# sums that left the array, in order; SUM_BITS: that go out because they are not complete. OUT_BITS, OUT_READY: of the
# n-th ones that went out
STRIPE, ITERATION, SUM_READY, SUM_FREED, SUM_BITS, OUT_BITS, OUT_READY, SUM_COLUMNS = range(8)
# clock, times: when units are free; of the last streams and the last load; of the last job that read rows; of the sums
# that come back for the next stripe
DRAM, VECTOR, ISSUED, BEFORE, LOADED, READ, FINISH, RETURNED = range(8)
# clock, cycles so far that units were busy
DRAM_BUSY, VECTOR_BUSY, STREAM_BUSY = range(8, 11)
# clock, counts: of loads, feeds and fetches; of sums that left the array, their slots, and those that are complete; of
# slots taken, and of stripes that the array still adds to; of sums that went out and came back
RAWS, FEEDS, SIDES, FETCHED, FINISHED, DRAINED, COMPLETE, STORED, TAKEN, HELD, OUTSIDE, BACK, CLOCK = range(11, 24)
