"""Admissible lower bounds of the cycles of a choice: a coarse one from totals, a fine one from the pipeline.

Coarse: every unit has to do all of its work; folds take at least their stream or their load, and operators that follow
each other on a stripe wait for each other. Fine (`pipeline_bound`, not for batched GEMMs): also what must come before
the first use of a unit, after its last one, and what it waits for in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mixarray.mapping import pipeline_columns as at
from mixarray.mapping.amounts import ceil_div
from mixarray.mapping.chain_plan import Stage
from mixarray.mapping.choice import Choice
from mixarray.mapping.demand import Vector
from mixarray.mapping.iteration_table import fetch_table, iteration_table
from mixarray.mapping.pipeline_bound import pipeline_cycles
from mixarray.mapping.pipeline_columns import Integers
from mixarray.mapping.pipeline_facts import (
    comes_whole,
    common_facts,
    facts_of,
    order_numbers,
    tensor_table,
    work_table,
)
from mixarray.mapping.reloads import Reloads, reloads, traffic_bits
from mixarray.mapping.space import Space, divides_rows
from mixarray.mapping.tile_tables import RowTable, block_table, row_column, row_table

LARGEST = 2**62


@dataclass(frozen=True, slots=True)
class Estimates:
    """All choices of a space; arrays of shape (choices,): their exact traffic, and their coarse bounds.

    totals: cycles that DRAM, the vector unit and the streams of the array take at least, shape (choices, 3).
    """

    choices: tuple[Choice, ...]
    traffic_bits: Integers
    coarse_cycles: Integers
    totals: Integers


@dataclass
class Bounds:
    """Bounds of all choices of one space; what depends on one or two tile sizes alone is made once."""

    space: Space
    rows: dict[int, RowTable] = field(default_factory=dict)
    blocks: dict[int, Integers] = field(default_factory=dict)
    after: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.facts = common_facts(self.space)
        self.tensors, self.works = tensor_table(self.space), work_table(self.space)

    def estimates(self) -> Estimates:
        """Traffic and coarse bounds of the whole space."""
        choices = tuple(self.space.points())
        tables = {rows: self._row_table(rows) for rows in {choice.rows for choice in choices}}
        found = reloads(self.space, choices, tables)
        traffic = traffic_bits(self.space, found)
        return Estimates(choices, traffic, *self._coarse(choices, found, traffic))

    def fine(self, estimates: Estimates, place: int, limit: int = LARGEST) -> int:
        """The fine bound of a choice of `estimates`; 0 where there is none; more than `limit` need not be exact."""
        demand, choice = self.space.demand, estimates.choices[place]
        if demand.elements:
            return 0
        rows, blocks = self._row_table(choice.rows), self._block_table(choice.columns)
        facts = facts_of(self.facts, self.space, choice, rows, estimates.totals[place], limit)
        its = iteration_table(facts, rows.tiles, blocks, order_numbers(choice))
        fetches, works = fetch_table(its, rows.tiles, blocks), self.works.copy()
        sums = np.zeros((len(rows.stripes) * (len(its) // rows.count) + 1, at.SUM_COLUMNS), np.int64)
        stored = np.zeros((len(its) + 1, len(works) + 1), np.int64)
        tables = (self.tensors, works, rows.tiles, rows.stripes, blocks, its, fetches, sums, stored)
        return pipeline_cycles(facts, tables)

    def _coarse(self, choices: Sequence[Choice], found: Reloads, traffic: Integers) -> tuple[Integers, Integers]:
        """Coarse bounds, and totals."""
        demand, latency = self.space.demand, int(self.facts[at.DRAM_LATENCY])
        known = {size: self._busy(*size) for size in {(choice.rows, choice.columns) for choice in choices}}
        busy = np.array([known[choice.rows, choice.columns] for choice in choices], np.int64).reshape(-1, 3)
        divided = np.array([divides_rows(choice.doubled) for choice in choices], np.bool_)
        before = found.row_loads * _vector_cycles(demand.before)
        waits = (
            self._element_waits(Stage.STREAM, Stage.STATIONARY)
            if demand.elements
            else np.maximum(before, found.row_loads * self._stream_loads())
        )
        early = divided | (self.facts[at.DATAFLOW] == at.INPUT_STATIONARY)  # where loads read rows, ahead of streams
        tile, first_work = self._heads(choices)
        array = np.maximum(busy[:, 0] + tile, np.where(early, 0, busy[:, 1] + waits)) + self.facts[at.FILL]
        sides = self._element_waits(Stage.SIDE) if demand.elements and demand.at(Stage.SIDE) else 0
        vector = before + busy[:, 2] + first_work + np.where(divided, 0, sides)
        dram = self._transfers(traffic)
        totals = np.stack([dram, before + _vector_cycles(demand.after), busy[:, 1]], axis=1)
        return np.asarray(np.maximum(np.maximum(array, vector), dram + latency)), totals

    def _heads(self, choices: Sequence[Choice]) -> tuple[Integers, Integers]:
        """Cycles until the first tile of rows is there, and until the vector unit has something to do."""
        demand = self.space.demand
        if demand.elements:  # less than one element has to be there
            return np.zeros(len(choices), np.int64), np.zeros(len(choices), np.int64)
        fits = {rows: comes_whole(self.space, table) for rows, table in self.rows.items()}
        whole = np.array([fits[choice.rows] for choice in choices], np.bool_)
        columns = at.WEIGHTED + len(demand.weightings) - 1
        tiles = np.array([self.rows[choice.rows].tiles[0] for choice in choices], np.int64).reshape(-1, columns)
        depth = np.array([min(choice.depth, demand.k) for choice in choices], np.int64)
        raw, stream = np.zeros(len(choices), np.int64), np.zeros(len(choices), np.int64)
        for entry in demand.at(Stage.RAW, Stage.STREAM):
            share = entry.bits * tiles[:, row_column(demand, entry.by)] // demand.all_rows(entry.by)
            raw += share if entry.stage is Stage.RAW else 0
            stream += share * depth // demand.k if entry.stage is Stage.STREAM else 0
        tile = self._transfers(raw + stream)
        return tile, np.where(whole, self._transfers(raw), 0) if demand.before else tile

    def _stream_loads(self) -> int:
        """Cycles to load all rows once: with one slot, a tile comes when the one before it has been read."""
        return int(self._transfers(np.int64(sum(entry.bits for entry in self.space.demand.at(Stage.STREAM)))))

    def _element_waits(self, *stages: Stage) -> int:
        """Cycles to load what all elements need: with one slot, it comes when that of the one before has been used."""
        demand = self.space.demand
        bits, elements = sum(entry.bits for entry in demand.at(*stages)), sum(count for _, count in demand.elements)
        return int(self._transfers(np.int64(bits))) + elements * int(self.facts[at.DRAM_LATENCY])

    def _transfers(self, bits: Integers | np.int64) -> Integers:
        """Cycles that all channels need at least to move so much."""
        cycles, rate = int(self.facts[at.RATE_CYCLES]), int(self.facts[at.RATE_BITS] * self.facts[at.CHANNELS])
        return np.asarray(bits * cycles // rate)

    def _busy(self, rows: int, columns: int) -> tuple[int, int, int]:
        """Cycles of the array, of its streams alone, and of the operators after the GEMM, for tiles of these sizes."""
        alike = Counter[tuple[int, int]]()
        for width, pieces, _ in self._block_table(columns).tolist():
            alike[width, pieces] += 1
        load = int(self.facts[at.LOAD])
        array, streams = (
            sum(count * self._array(rows, *block, least) for block, count in alike.items()) for least in (load, 0)
        )
        return array - load, streams, sum(count * self._all_after(rows, width) for (width, _), count in alike.items())

    def _all_after(self, rows: int, width: int) -> int:
        """Cycles of the operators after the GEMM on all stripes of one block."""
        if (rows, width) not in self.after:
            heights = Counter[int]()
            for height, times in self._row_table(rows).stripes[:, [at.HEIGHT, at.TIMES]].tolist():
                heights[height] += times
            self.after[rows, width] = sum(times * self._after(height * width) for height, times in heights.items())
        return self.after[rows, width]

    def _array(self, rows: int, width: int, pieces: int, least: int) -> int:
        """All stripes over one block, each fold as long as its stream, and so many cycles at least."""
        table, k = self._row_table(rows), self.space.demand.k
        per_fold = np.repeat(table.tiles[:-1, at.FOLD_DEPTH], np.diff(table.tiles[:, at.FIRST_STRIPE]))
        full, rest, times = (table.stripes[:, column] for column in (at.FULL, at.REST, at.TIMES))
        if self.facts[at.DATAFLOW] == at.OUTPUT_STATIONARY:
            return int((times * table.stripes[:, at.PARTS] * np.maximum(k * full, least)).sum()) * pieces
        if self.facts[at.DATAFLOW] == at.INPUT_STATIONARY:
            full, rest = full * (width // pieces), rest * (width // pieces)
        last = np.where(k % per_fold > 0, np.maximum(rest, least), 0)
        return int((times * (k // per_fold * np.maximum(full, least) + last)).sum()) * pieces

    def _after(self, sums: int) -> int:
        """Cycles of the operators on a stripe of so many sums, one waiting for the other."""
        demand = self.space.demand
        free, ready = 0, list[int]()
        for work in demand.after:
            elements = work.elements * sums // (demand.rows * demand.n)
            start = max(free, ready[work.maker]) if work.maker >= 0 and elements else free
            free = start + ceil_div(elements, work.step) * work.cycles
            ready.append(free + work.latency_cycles if elements else 0)
        return free

    def _row_table(self, rows: int) -> RowTable:
        if rows not in self.rows:
            self.rows[rows] = row_table(self.space, rows)
        return self.rows[rows]

    def _block_table(self, columns: int) -> Integers:
        if columns not in self.blocks:
            self.blocks[columns] = block_table(self.space, columns)
        return self.blocks[columns]


def _vector_cycles(works: Sequence[Vector]) -> int:
    """Cycles that vector operators take at least, in however many jobs."""
    return sum(ceil_div(work.elements, work.step) * work.cycles for work in works)
