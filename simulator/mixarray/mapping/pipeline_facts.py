"""What the pipeline's bound has to know of a machine, a chain and a choice, as vectors and matrices of integers."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.mapping import pipeline_columns as at
from mixarray.mapping.amounts import ceil_div
from mixarray.mapping.chain_plan import Stage
from mixarray.mapping.choice import Choice
from mixarray.mapping.demand import NOBODY, Demand
from mixarray.mapping.pipeline_columns import Integers
from mixarray.mapping.space import Space, divides_rows, divides_weights, spills
from mixarray.mapping.tile_tables import RowTable, load_cycles, row_column
from mixarray.mapping.tiles import RowBits

LOADING = {
    WeightLoading.SERIAL: at.SERIAL,
    WeightLoading.SINGLE: at.SINGLE,
    WeightLoading.DOUBLE: at.DOUBLE,
}
DATAFLOW = {
    Dataflow.WEIGHT_STATIONARY: at.WEIGHT_STATIONARY,
    Dataflow.INPUT_STATIONARY: at.INPUT_STATIONARY,
    Dataflow.OUTPUT_STATIONARY: at.OUTPUT_STATIONARY,
}
STAGES = {Stage.RAW: at.RAW, Stage.STREAM: at.STREAM, Stage.SIDE: at.SIDE, Stage.FED: at.FED, Stage.OUT: at.OUT}


def common_facts(space: Space) -> Integers:
    """The facts that all choices share; the others are 0."""
    demand, array, accelerator = space.demand, space.cuts.array, space.cuts.accelerator
    channel = accelerator.dram_channels[0]
    facts = np.zeros(at.FACTS, np.int64)
    for place, value in {
        at.RATE_BITS: channel.bits_per_cycle.numerator,
        at.RATE_CYCLES: channel.bits_per_cycle.denominator,
        at.BURST_BITS: channel.burst_bits,
        at.CHANNELS: len(accelerator.dram_channels),
        at.DRAM_LATENCY: channel.latency_cycles,
        at.DATAFLOW: DATAFLOW[array.dataflow],
        at.LOADING: LOADING[array.weight_loading],
        at.FILL: array.rows + array.columns - 2,
        at.LOAD: load_cycles(demand, space.cuts),
        at.SUM_SLOTS: accelerator.buffers.accumulator.slots,
        at.N: demand.n,
        at.K: demand.k,
        at.ALL_ROWS: demand.rows,
        at.WEIGHT_BITS: demand.weight_bits,
        at.EACH_BITS: array.accumulator_bits,
        at.FIRST_CYCLES: sum(accelerator.memory.transfer_cycles(bits) for bits in demand.parameter_bits),
    }.items():
        facts[place] = value
    return facts


def facts_of(common: Integers, space: Space, choice: Choice, rows: RowTable, totals: Integers, limit: int) -> Integers:
    """The facts of one choice, whose tiles of rows are `rows`; totals: cycles of DRAM, vector unit and streams."""
    buffers, facts = space.cuts.accelerator.buffers, common.copy()
    slots = buffers.activation.slots if divides_rows(choice.doubled) else 1
    tiles = rows.count, ceil_div(space.demand.n, choice.columns), ceil_div(space.demand.k, choice.depth)
    facts[at.SPILLS] = spills(choice.order, tiles)
    facts[at.DEPTH] = min(choice.depth, space.demand.k)
    facts[at.SLOTS] = slots
    facts[[at.ALL_DRAM, at.ALL_VECTOR, at.ALL_STREAMS]] = totals
    facts[at.LIMIT] = limit
    facts[at.WHOLE_WEIGHTS] = choice.columns >= space.demand.n and choice.depth >= space.demand.k
    facts[at.WEIGHTS_AHEAD] = buffers.weight.slots - 1 if divides_weights(choice.doubled) else 0
    facts[at.FIRST_FITS] = slots == 1 or comes_whole(space, rows)
    return facts


def order_numbers(choice: Choice) -> Integers:
    """The dimension of each loop from outside: 0 M, 1 N, 2 K."""
    return np.array(["mnk".index(axis) for axis in choice.order.value], np.int64)


def tensor_table(space: Space) -> Integers:
    """The tensors of a chain with weights that cost something to move."""
    demand = space.demand
    rows = [
        (e.bits, row_column(demand, e.by), e.maker, STAGES[e.stage], demand.all_rows(e.by)) for e in demand.at(*STAGES)
    ]
    return np.array(rows, np.int64).reshape(-1, 5)


def work_table(space: Space) -> Integers:
    """The vector operators before and after the GEMM, in this order."""
    demand, rows = space.demand, []
    for is_after, works in ((False, demand.before), (True, demand.after)):
        for work in works:
            first = len(demand.before) if is_after else 0
            earlier = work.maker if work.maker == NOBODY else work.maker + first
            sums = int(work.work.accumulator_bits > 0)
            rows.append((work.elements, work.step, work.cycles, work.latency_cycles, earlier, sums, int(is_after), 0))
    return np.array(rows, np.int64).reshape(-1, 8)


def comes_whole(space: Space, rows: RowTable) -> bool:
    """Whether the first tile of rows surely comes in one piece where the activation buffer is divided."""
    demand, tile_rows = space.demand, int(rows.tiles[0, at.ROWS])
    moved = [entry.bits for entry in demand.at(Stage.RAW, Stage.STREAM, Stage.FED)]
    moved += [bits for work in demand.before for bits in (work.work.read_bits, work.work.write_bits)]
    widest = max(_largest_part(demand, by) for by in demand.weightings)
    most = max((ceil(bits * tile_rows * widest) for bits in moved), default=0)
    return most <= space.cuts.accelerator.buffers.activation.slot_bits


def _largest_part(demand: Demand, by: RowBits) -> Fraction:
    """The part of a tensor that one row has at most."""
    bits = dict(by)
    return Fraction(max(bits.get(run.bits, 1) for run in demand.runs), demand.all_rows(by))
