"""The way of weights from DRAM through the weight buffer: whole operators where they fit a slot, else column by column.

A whole operator is fetched once, while the operator with weights before it still runs (given two slots). Where there is
none to hide behind, the transfer has parts, so that the array can start before all of it is there. Otherwise the
weights of one piece of N (an array column) are fetched together, for every tile of rows anew, as many fetches ahead as
there are slots to spare. Where they do not fit a slot, parts of K follow each other, and stripes that would share them
fetch them anew. A chosen mapping fetches tiles of N by K as its loops reach them; where it does not divide the buffer a
tile takes all slots. A slot is free when the last job of the array that reads from it has been issued.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.emitter import Emitter, Mark, Slots
from mixarray.mapping.fetches import Block, column_fetches, tile_fetches, whole_fetch
from mixarray.mapping.jobs import Shop
from mixarray.mapping.schedule import Dependency, Event, JobKind


@dataclass(slots=True)
class WeightPath:
    """Follows one chain at a time; `order` are the plans with weights, in order.

    fetched: the transfers of whole operators by their place in `order`. blocks: the fetches of the present chain in
    the order in which they are first read; starts[i]: the block that iteration i begins with, begun[i]: how many jobs
    have read it before (both empty for a whole operator). ahead: blocks on their way beside the one that is read.
    block, reads: the block that is read, and how many jobs have read it. last_reader: the last job that read any.
    """

    emitter: Emitter
    shop: Shop
    slots: Slots
    order: Sequence[ChainPlan]
    fetched: dict[int, list[Mark]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    ahead: int = 0
    filled: int = 0
    block: int = 0
    reads: int = 0
    marks: dict[int, Mark] = field(default_factory=dict)
    last_reader: Mark | None = None

    @property
    def _cuts(self) -> Cuts:
        return Cuts(self.shop.accelerator, self.shop.array)

    def prepare(self, plan: ChainPlan) -> None:
        """List the fetches of a chain."""
        self.blocks, self.starts, self.begun, self.filled, self.block, self.reads = [], [], [], 0, 0, 0
        self.ahead = self.slots.slots // max(plan.holding.weight_slots, 1) - 1
        self.marks.clear()
        self.last_reader = None
        if plan.holding.weights_whole:
            hidden = self._place(plan) in self.fetched
            self.blocks = [(plan.weight_bits, 1)] if hidden else whole_fetch(plan, self._cuts)
        elif plan.loops.weight_tiles:
            self.blocks, self.begun = tile_fetches(plan, self._cuts)
            self.starts = [*plan.loops.weight_tiles, len(self.blocks)]
        elif plan.weight_bits:
            fetches = column_fetches(plan, self._cuts)
            self.blocks = [block for blocks in fetches for block in blocks]
            self.starts = list(accumulate((len(blocks) for blocks in fetches), initial=0))
            self.begun = [0] * len(fetches)

    def upcoming(self, plan: ChainPlan) -> list[object]:
        """What is read for the first and the last time in each iteration of the prepared chain, and fetched from its
        stripes to the moves of the next.

        Where a whole operator arrives in parts, no two iterations of its first tile of rows count as equal: they wait
        for different parts.
        """
        if not self.starts:
            first = plan.loops.parts if len(self.blocks) > 1 else 0
            return [number if number < first else -1 for number in range(len(plan.loops.iterations))]
        ahead = self.ahead + 1  # the fetches before the first stripes are one more
        return [
            (begun == 0, end - start, *self.blocks[start + ahead : end + ahead])
            for begun, start, end in zip(self.begun, self.starts[:-1], self.starts[1:], strict=True)
        ]

    def begin(self, plan: ChainPlan) -> None:
        """Fetch a whole operator unless that has been done, then the next one if there is a slot for it."""
        if not plan.holding.weights_whole:
            return
        place = self._place(plan)
        if place not in self.fetched:
            self.fetched[place] = self._fetch(plan, [bits for bits, _ in self.blocks])
        self.marks = dict(enumerate(self.fetched[place]))
        self.emitter.close()
        following = self.order[place + 1] if self.ahead and place + 1 < len(self.order) else None
        if following is not None and following.holding.weights_whole and following.holding.weight_slots == 1:
            self.fetched[place + 1] = self._fetch(following, [following.weight_bits])

    def fill(self, plan: ChainPlan, iteration: int) -> None:
        """Fetch block by block, as far ahead as there are slots."""
        if self.starts:
            self._ensure(plan, self.starts[iteration] + self.ahead)

    def waits(self, plan: ChainPlan) -> list[Dependency]:
        """What the next job of the array that reads weights waits for: the first reader of each fetch, for it."""
        if self.reads or self.block == len(self.blocks):
            return []
        if not self.starts:
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
                if self.starts:
                    self._free(plan, reader)
                self.block, self.reads = self.block + 1, 0

    def end(self, plan: ChainPlan) -> None:
        """The chain is done: the slots of a whole operator are free."""
        if plan.holding.weights_whole and self.last_reader is not None:
            self._free(plan, self.last_reader)

    def advance(self, iteration: int, times: int) -> None:
        """As many more iterations as `times` have passed, alike the last ones before `iteration`."""
        if self.starts:
            blocks = self.starts[iteration + times] - self.starts[iteration]
            self.filled, self.block = self.filled + blocks, self.block + blocks
            self.reads = self.begun[iteration + times] if iteration + times < len(self.begun) else 0
            self.marks = {number + blocks: mark for number, mark in self.marks.items()}

    def _place(self, plan: ChainPlan) -> int:
        return next(index for index, other in enumerate(self.order) if other is plan)

    def _ensure(self, plan: ChainPlan, block: int) -> None:
        while self.filled <= min(block, len(self.blocks) - 1):
            self.marks[self.filled] = self._fetch(plan, [self.blocks[self.filled][0]])[0]
            self.filled += 1

    def _free(self, plan: ChainPlan, reader: Mark) -> None:
        for _ in range(plan.holding.weight_slots):
            self.slots.free(reader)

    def _fetch(self, plan: ChainPlan, parts: list[int]) -> list[Mark]:
        """One transfer of so many bits; its first part waits for the slots, the others follow in order."""
        assert plan.chain.gemm is not None
        freed = [self.slots.take() for _ in range(plan.holding.weight_slots)]
        waits = [self.emitter.recent(mark, Event.ISSUED) for mark in freed if mark is not None]
        marks: list[Mark] = []
        before = 0
        for bits in parts:
            job = self.shop.dram_load(JobKind.DRAM_LOAD_WEIGHT, plan.chain.gemm, bits, before)
            marks.append(self.emitter.emit(job, () if marks else waits))
            before += bits
        return marks
