"""The way of weights from DRAM through the weight buffer: whole operators where they fit a slot, else column by column.

A whole operator is fetched once, while the operator with weights before it still runs (given two slots). Where there is
none to hide behind, the transfer has parts, so that the array can start before all of it is there. Otherwise the
weights of one piece of N (an array column) are fetched together, for every tile of rows anew, as many fetches ahead as
there are slots to spare. Where they do not fit a slot, parts of K follow each other, and stripes that would share them
fetch them anew. A chosen mapping fetches tiles of N by K as its loops reach them; where it does not divide the buffer a
tile takes all slots. A slot is free when the last job of the array that reads from it has been issued.

Parts of a chain (`parts`) that hold its whole weights alike share one fetch, whether they follow each other or run on
two arrays at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.emitter import Emitter, Mark, Slots
from mixarray.mapping.fetches import Block, column_fetches, tile_fetches, whole_fetch
from mixarray.mapping.jobs import Shop
from mixarray.mapping.schedule import Dependency, Event, JobKind


@dataclass(slots=True)
class WeightPath:
    """Follows one chain at a time; `order` are the plans with weights, in order.

    places: for each plan the number of the fetch that brings its whole weights; parts of a chain may share one.
    fetched, readers: by this number the transfers, and the last reader of each part so far. blocks: the fetches of the
    present chain in the order in which they are first read; spans: by GEMM, for each iteration the block that it begins
    with and the one that the next one does, begun[i]: how many jobs have read it before (both empty for a whole
    operator). sources: the GEMM of each block where two chains take turns. ahead: blocks on their way beside the one
    that is read; held: slots that stay taken meanwhile.
    block, reads: the block that is read, and how many jobs have read it. last_reader: the last job that read any.
    """

    emitter: Emitter
    shop: Shop
    slots: Slots
    order: Sequence[ChainPlan]
    fetched: dict[int, list[Mark]] = field(default_factory=dict)
    readers: dict[int, list[Mark]] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    spans: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    sources: list[int] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    ahead: int = 0
    held: int = 0
    filled: int = 0
    block: int = 0
    reads: int = 0
    marks: dict[int, Mark] = field(default_factory=dict)
    last_reader: Mark | None = None

    def __post_init__(self) -> None:
        for number, plan in enumerate(self.order):
            alone = number == 0 or not same_weights(plan, self.order[number - 1])
            self.places.append(self.places[-1] + alone if self.places else 0)

    def beside(self, shop: Shop) -> WeightPath:
        """The way to another array: the same slots, and the same whole operators in them."""
        return WeightPath(self.emitter, shop, self.slots, self.order, self.fetched, self.readers)

    def behind(self) -> WeightPath:
        """The way to the second chain of a fused pair, both of whose weights stay in slots of their own."""
        path = self.beside(self.shop)
        path.held = 1
        return path

    @property
    def _cuts(self) -> Cuts:
        return Cuts(self.shop.accelerator, self.shop.array)

    def prepare(self, plan: ChainPlan) -> None:
        """List the fetches of a chain."""
        self._reset(plan)
        if plan.holding.weights_whole:
            hidden = self._place(plan) in self.fetched
            self.blocks = [(plan.weight_bits, 1)] if hidden else whole_fetch(plan, self._cuts)
        elif plan.loops.weight_tiles:
            self.blocks, self.begun = tile_fetches(plan, self._cuts)
            self.spans[_gemm(plan)] = list(pairwise([*plan.loops.weight_tiles, len(self.blocks)]))
        elif plan.weight_bits:
            self._list_columns([(plan, range(len(plan.loops.iterations)))])

    def prepare_pair(self, turns: Sequence[tuple[ChainPlan, range]]) -> None:
        """List the fetches of two chains that take turns, in the order of the iterations that each turn takes."""
        self._reset(turns[0][0])
        self._list_columns(turns)

    def _reset(self, plan: ChainPlan) -> None:
        self.blocks, self.sources, self.begun, self.filled, self.block, self.reads = [], [], [], 0, 0, 0
        self.ahead = self.slots.slots // max(plan.holding.weight_slots, 1) - 1 - self.held
        self.spans.clear()
        self.marks.clear()
        self.last_reader = None

    def _list_columns(self, turns: Sequence[tuple[ChainPlan, range]]) -> None:
        plans = {_gemm(plan): plan for plan, _ in turns}
        fetches = {gemm: column_fetches(plan, self._cuts) for gemm, plan in plans.items()}
        self.spans = {gemm: [] for gemm in plans}
        for plan, iterations in turns:
            gemm = _gemm(plan)
            for blocks in fetches[gemm][iterations.start : iterations.stop]:
                self.spans[gemm].append((len(self.blocks), len(self.blocks) + len(blocks)))
                self.blocks += blocks
                self.sources += [gemm] * len(blocks)

    def upcoming(self, plan: ChainPlan) -> list[object]:
        """What is read for the first and the last time in each iteration of the prepared chain, and fetched from its
        stripes to the moves of the next.

        Where a whole operator arrives in parts, no two iterations of its first tile of rows count as equal: they wait
        for different parts.
        """
        if not self.spans:
            first = plan.loops.parts if len(self.blocks) > 1 else 0
            return [number if number < first else -1 for number in range(len(plan.loops.iterations))]
        ahead, spans = self.ahead + 1, self.spans[_gemm(plan)]  # the fetches before the first stripes are one more
        coming = [*zip(self.blocks, self.sources or [_gemm(plan)] * len(self.blocks), strict=True)]
        return [
            (begun == 0, end - start, *coming[start + ahead : end + ahead])
            for begun, (start, end) in zip(self.begun or [0] * len(spans), spans, strict=True)
        ]

    def begin(self, plan: ChainPlan) -> None:
        """Fetch a whole operator unless that has been done, then the next one if there is a slot for it."""
        if not plan.holding.weights_whole:
            return
        place = self._place(plan)
        if place not in self.fetched:
            self.fetched[place] = self._fetch(plan, [bits for bits, _ in self.blocks], _gemm(plan))
        # where it was fetched for another part, only the last of its transfers is waited for
        self.marks = dict(enumerate(self.fetched[place][-len(self.blocks) :]))
        self.emitter.close()
        if not self.ahead or place == self.places[-1] or place + 1 in self.fetched:
            return
        following = self.order[self.places.index(place + 1)]
        if following.holding.weights_whole and following.holding.weight_slots == 1:
            self.fetched[place + 1] = self._fetch(following, [following.weight_bits], _gemm(following))

    def fill(self, plan: ChainPlan, iteration: int) -> None:
        """Fetch block by block, as far ahead as there are slots."""
        if self.spans:
            self._ensure(plan, self._passed(plan, iteration) + self.ahead)

    def waits(self, plan: ChainPlan) -> list[Dependency]:
        """What the next job of the array that reads weights waits for: the first reader of each fetch, for it."""
        if self.reads or self.block == len(self.blocks):
            return []
        if not self.spans:
            return [self.emitter.final(self.marks.pop(self.block), Event.READY)]
        self._ensure(plan, self.block + self.ahead)
        return [self.emitter.recent(self.marks.pop(self.block), Event.READY)]

    def left(self) -> int:
        """How many more jobs of the array read weights before one has to wait."""
        if self.block == len(self.blocks):
            return sys.maxsize
        return self.blocks[self.block][1] - self.reads if self.reads else 0

    def done(self, plan: ChainPlan, reader: Mark, times: int = 1) -> None:
        """So many jobs of the array have read weights of a block, the last of them `reader`; the last one of all frees
        its slots.
        """
        self.last_reader = reader
        if self.block < len(self.blocks):
            self.reads += times
            if self.reads == self.blocks[self.block][1]:
                if self.spans:
                    self._free(plan, reader)
                self.block, self.reads = self.block + 1, 0

    def end(self, plan: ChainPlan) -> None:
        """The chain is done: the slots of a whole operator are free, once all parts that share it are done."""
        if not plan.holding.weights_whole or self.last_reader is None:
            return
        place = self._place(plan)
        readers = self.readers.setdefault(place, [])
        readers.append(self.last_reader)
        if len(readers) == self.places.count(place):
            latest = {(reader.unit, reader.kind): reader for reader in readers}
            self._free(plan, *latest.values())

    def advance(self, plan: ChainPlan, iteration: int, times: int) -> None:
        """As many more iterations as `times` have passed, alike the last ones before `iteration`."""
        if self.spans:
            blocks = self._passed(plan, iteration + times) - self._passed(plan, iteration)
            self.filled, self.block = self.filled + blocks, self.block + blocks
            self.reads = self.begun[iteration + times] if iteration + times < len(self.begun) else 0
            self.marks = {number + blocks: mark for number, mark in self.marks.items()}

    def _place(self, plan: ChainPlan) -> int:
        return next(place for place, other in zip(self.places, self.order, strict=True) if other is plan)

    def _passed(self, plan: ChainPlan, iteration: int) -> int:
        """Blocks that come before what is read after so many iterations of a chain."""
        return self.spans[_gemm(plan)][iteration - 1][1] if iteration else 0

    def _ensure(self, plan: ChainPlan, block: int) -> None:
        while self.filled <= min(block, len(self.blocks) - 1):
            self.marks[self.filled] = self._fetch(plan, [self.blocks[self.filled][0]], self._source(plan))[0]
            self.filled += 1

    def _free(self, plan: ChainPlan, *readers: Mark) -> None:
        for _ in range(plan.holding.weight_slots):
            self.slots.free(*readers)

    def _source(self, plan: ChainPlan) -> int:
        """The GEMM that reads the next fetch."""
        return self.sources[self.filled] if self.sources else _gemm(plan)

    def _fetch(self, plan: ChainPlan, parts: list[int], gemm: int) -> list[Mark]:
        """One transfer of so many bits; its first part waits for the slots, the others follow in order."""
        freed = [mark for _ in range(plan.holding.weight_slots) for mark in self.slots.take()]
        waits = [self.emitter.recent(mark, Event.ISSUED) for mark in freed]
        marks: list[Mark] = []
        before = 0
        for bits in parts:
            job = self.shop.dram_load(JobKind.DRAM_LOAD_WEIGHT, gemm, bits, before)
            marks.append(self.emitter.emit(job, () if marks else waits))
            before += bits
        return marks


def _gemm(plan: ChainPlan) -> int:
    assert plan.chain.gemm is not None  # chains with weights have one
    return plan.chain.gemm


def same_weights(plan: ChainPlan, other: ChainPlan) -> bool:
    """Whether two plans are parts of one chain that hold its whole weights in the same way."""
    ours, theirs = plan.holding, other.holding
    return (
        plan.chain is other.chain
        and ours.weights_whole
        and theirs.weights_whole
        and (ours.weight_slots, plan.weight_bits) == (theirs.weight_slots, other.weight_bits)
    )
