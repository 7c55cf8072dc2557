"""The way of weights from DRAM through the weight buffer: whole operators where they fit a slot, else column by column.

A whole operator is fetched once, while the operator with weights before it still runs (given two slots). Otherwise
the weights of one piece of N (an array column) are fetched together, for every tile of rows anew, as many fetches ahead
as there are slots to spare. Where they do not fit a slot, parts of K follow each other, and stripes that would share
them fetch them anew. A slot is free when the last job of the array that reads from it has been issued.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.emitter import Emitter, Mark, Slots
from mixarray.mapping.jobs import Shop
from mixarray.mapping.schedule import Dependency, Event, JobKind
from mixarray.mapping.tiles import Run, weight_blocks

Block = tuple[int, int]
"""One fetch: its bits, and how many jobs of the array read from it."""


@dataclass(slots=True)
class WeightPath:
    """Follows one chain at a time; `order` are the plans with weights, in order.

    blocks: (bits, jobs that read them) of every fetch of the present chain; starts[i]: the first block of iteration i.
    block, reads: the block that is read, and how many jobs have read it. last_reader: the last job that read any.
    """

    emitter: Emitter
    shop: Shop
    slots: Slots
    order: Sequence[ChainPlan]
    fetched: dict[int, Mark] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    filled: int = 0
    block: int = 0
    reads: int = 0
    marks: dict[int, Mark] = field(default_factory=dict)
    last_reader: Mark | None = None

    def is_whole(self, plan: ChainPlan) -> bool:
        """Whether all weights of a chain fit one slot."""
        return 0 < plan.weight_bits <= self.shop.accelerator.buffers.weight.slot_bits

    def prepare(self, plan: ChainPlan) -> None:
        """List the fetches of a chain whose weights come column by column."""
        self.blocks, self.starts, self.filled, self.block, self.reads = [], [], 0, 0, 0
        self.marks.clear()
        self.last_reader = None
        if not plan.weight_bits or self.is_whole(plan):
            return
        known: dict[tuple[int, Run], list[Block]] = {}
        for iteration in plan.loops.iterations:
            self.starts.append(len(self.blocks))
            for stripe in iteration:
                for width in stripe.widths:
                    key = width, stripe.runs[0]
                    if key not in known:
                        known[key] = self._column(plan.k, *key)
                    blocks = known[key]
                    if stripe.again and len(blocks) == 1:
                        bits, readers = self.blocks[-1]
                        self.blocks[-1] = bits, readers + blocks[0][1]
                    else:
                        self.blocks.extend(blocks)
        self.starts.append(len(self.blocks))

    def _column(self, k: int, width: int, run: Run) -> list[Block]:
        """The fetches for one piece of N and the rows of a run."""
        cuts, bits = Cuts(self.shop.accelerator), width * run.stationary_bits
        depths = cuts.depths(k, run, width, weights=True)
        groups = weight_blocks(depths, bits, self.shop.accelerator.buffers.weight.slot_bits)
        times = cuts.readings(run)
        if len(groups) == 1:
            return [(k * bits, len(depths) * times)]
        return [(sum(group) * bits, len(group)) for group in groups] * times

    def upcoming(self, plan: ChainPlan) -> list[tuple[Block, ...]]:
        """What is fetched from the stripes of each iteration of the prepared chain to the moves of the next."""
        if not self.blocks:
            return [()] * len(plan.loops.iterations)
        ahead = self.slots.slots  # the fetches before the first stripes are one more than slots - 1
        return [
            tuple(self.blocks[start + ahead : end + ahead])
            for start, end in zip(self.starts[:-1], self.starts[1:], strict=True)
        ]

    def begin(self, plan: ChainPlan) -> None:
        """Fetch a whole operator unless that has been done, then the next one if there is a slot for it."""
        if not self.is_whole(plan):
            return
        place = next(index for index, other in enumerate(self.order) if other is plan)
        self._fetch_whole(place)
        self.emitter.close()
        if self.slots.slots > 1 and place + 1 < len(self.order) and self.is_whole(self.order[place + 1]):
            self._fetch_whole(place + 1)

    def fill(self, plan: ChainPlan, iteration: int) -> None:
        """Fetch column by column, as far ahead as there are slots."""
        if self.blocks:
            self._ensure(plan, self.starts[iteration] + self.slots.slots - 1)

    def waits(self, plan: ChainPlan) -> list[Dependency]:
        """What the next job of the array that reads weights waits for."""
        if self.blocks:
            if self.reads:
                return []
            self._ensure(plan, self.block + self.slots.slots - 1)
            return [self.emitter.recent(self.marks.pop(self.block), Event.READY)]
        if self.is_whole(plan) and self.last_reader is None:
            mark = self.fetched[next(index for index, other in enumerate(self.order) if other is plan)]
            return [self.emitter.final(mark, Event.READY)]
        return []

    def done(self, reader: Mark) -> None:
        """A job of the array has read weights; the last reader of a block frees its slot."""
        self.last_reader = reader
        if self.blocks:
            self.reads += 1
            if self.reads == self.blocks[self.block][1]:
                self.slots.free(reader)
                self.block, self.reads = self.block + 1, 0

    def end(self, plan: ChainPlan) -> None:
        """The chain is done: the slot of a whole operator is free."""
        if self.is_whole(plan) and self.last_reader is not None:
            self.slots.free(self.last_reader)

    def advance(self, iteration: int, times: int) -> None:
        """The last iteration was repeated `times` more."""
        if self.blocks:
            blocks = times * (self.starts[iteration + 1] - self.starts[iteration])
            self.filled, self.block = self.filled + blocks, self.block + blocks
            self.marks = {number + blocks: mark for number, mark in self.marks.items()}

    def _fetch_whole(self, place: int) -> None:
        if place not in self.fetched:
            plan = self.order[place]
            self.fetched[place] = self._fetch(plan, plan.weight_bits)

    def _ensure(self, plan: ChainPlan, block: int) -> None:
        while self.filled <= min(block, len(self.blocks) - 1):
            self.marks[self.filled] = self._fetch(plan, self.blocks[self.filled][0])
            self.filled += 1

    def _fetch(self, plan: ChainPlan, bits: int) -> Mark:
        assert plan.chain.gemm is not None
        freed = self.slots.take()
        waits = [] if freed is None else [self.emitter.recent(freed, Event.ISSUED)]
        return self.emitter.emit(self.shop.dram_load(JobKind.DRAM_LOAD_WEIGHT, plan.chain.gemm, bits), waits)
