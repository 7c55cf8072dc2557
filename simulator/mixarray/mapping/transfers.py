"""Tensors on their way into and out of a chain: DRAM jobs, the buffer slots they occupy, and who waits for whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mixarray.accelerator.modes import Bits
from mixarray.mapping.chain_plan import ChainPlan, Stage, VectorWork
from mixarray.mapping.emitter import Emitter, Mark, Slots
from mixarray.mapping.jobs import Shop
from mixarray.mapping.schedule import Dependency, Event, JobKind
from mixarray.mapping.units import DRAM
from mixarray.mapping.weights import WeightPath

WRITTEN = (Stage.FED, Stage.OUT, Stage.INNER)
"""Stages of tensors that vector operators make."""
BESIDE = (Stage.RAW, Stage.SIDE)
"""Stages of tensors that they read beside the results of the GEMM."""


@dataclass(frozen=True, slots=True)
class Feeds:
    """What the array waits for: operands that were loaded, and rows that the other chain of a fused pair made."""

    loaded: tuple[Mark, ...] = ()
    made: tuple[Mark, ...] = ()


NOTHING = Feeds()


@dataclass(slots=True)
class Floor:
    """What outlives a chain: the emitter, buffers shared by all chains, and which tensors exist.

    ready: tensor -> the job that completes it (its last store, or its last vector job if it stays on the chip).
    last_read: the last job of the array that read from the activation buffer. taken: a chain had all of that buffer.
    before: the same jobs of other arrays, before the present chain. mode: that of the last row streamed on the array.
    """

    emitter: Emitter
    shop: Shop
    resident: frozenset[int]
    accumulators: Slots
    weights: WeightPath
    ready: dict[int, Mark] = field(default_factory=dict)
    last_read: Mark | None = None
    taken: bool = False
    before: tuple[Mark, ...] = ()
    mode: Bits | None = None


@dataclass
class Transfers:
    """The moves of one chain. Feeds and iterations are numbered as in its loops.

    raw, feeds, sides: the loads of a feed or iteration that is not used yet. made: for an iteration, the jobs of the
    other chain of a fused pair that made its rows. written: the last job of each vector
    operator. parameters: the loads of those that no operator has used yet. At most two tiles of each kind are in
    flight, one if the activation buffer has a single slot.

    at: the plan's traffic by stage. stays: by operator, the tensors on the chip that it reads beside the GEMM. writes:
    by operator, what it writes that has to leave.
    """

    floor: Floor
    plan: ChainPlan
    raw: dict[int, list[Mark]] = field(default_factory=dict)
    feeds: dict[int, list[Mark]] = field(default_factory=dict)
    made: dict[int, list[Mark]] = field(default_factory=dict)
    sides: dict[int, list[Mark]] = field(default_factory=dict)
    written: dict[int, Mark] = field(default_factory=dict)
    seen: set[tuple[int, int]] = field(default_factory=set)
    parameters: dict[int, Mark] = field(default_factory=dict)

    def __post_init__(self) -> None:
        slots = self.plan.holding.activation_slots  # 1 or 2: build_schedule refuses more
        self.early = slots - 1
        # a chain whose tiles take the whole buffer shares it with no other: the first load, and so all, wait for that
        alone = self.plan.holding.activation_whole or self.floor.taken
        self.cleared: Mark | None = self.floor.last_read if alone else None
        self.floor.taken = self.plan.holding.activation_whole
        self.handed: set[int] = set()
        self.raw_slots, self.side_slots = Slots(slots), Slots(slots)
        self.at = {stage: self.plan.at(stage) for stage in Stage}
        leaving = [e for e in self.plan.traffic if e.stage in WRITTEN and e.tensor not in self.floor.resident]
        beside = [e for e in self.plan.traffic if e.stage in BESIDE and e.tensor in self.floor.resident]
        operators = {entry.operator for entry in self.plan.traffic}
        self.rooms = {entry.tensor: Slots(slots) for entry in leaving}
        self.writes = {op: [e for e in leaving if e.operator == op] for op in operators}
        self.stays = {op: [e.tensor for e in beside if e.operator == op] for op in operators}

    def wait(self, marks: Iterable[Mark | None], event: Event) -> list[Dependency]:
        """Wait for jobs of this chain or shared buffers, by distance."""
        recent = self.floor.emitter.recent
        return [recent(mark, event) for mark in marks if mark is not None]

    def tensor(self, tensor: int, unit: int) -> list[Dependency]:
        """Wait for a tensor made by an earlier chain: only the first reader on each unit has to."""
        mark = self.floor.ready.get(tensor)
        if mark is None or (tensor, unit) in self.seen:
            return []
        self.seen.add((tensor, unit))
        return [self.floor.emitter.final(mark, Event.READY)]

    def handed_over(self, unit: int) -> list[Dependency]:
        """Wait for what other arrays read before this chain: only the first job on each unit that writes has to."""
        if unit in self.handed:
            return []
        self.handed.add(unit)
        return [self.floor.emitter.final(mark, Event.ISSUED) for mark in self.floor.before]

    def arrived(self, iteration: int) -> Feeds:
        """What iteration `iteration` is the first to need; the first one needs every piece of its tile."""
        lead = self.plan.loops.lead
        feeds = range(0 if iteration == 0 else iteration + lead, iteration + lead + 1)
        loaded = tuple(mark for feed in feeds for mark in self.feeds.pop(feed, []))
        return Feeds(loaded, tuple(self.made.pop(iteration, [])))

    def load_parameters(self) -> None:
        """What operators need for their groups beside the first; nobody has to make room for so little."""
        for operator, bits in self.plan.parameters:
            job = self.floor.shop.dram_load(JobKind.DRAM_LOAD_PARAMETER, operator, bits)
            self.parameters[operator] = self.floor.emitter.emit(job, ())

    def parameters_of(self, work: VectorWork) -> list[Dependency]:
        """Wait for the parameters of an operator, or for the scales of the GEMM whose sums it reads: the first job."""
        operators = (work.operator, self.plan.chain.gemm if work.accumulator_bits else None)
        marks = [self.parameters.pop(operator, None) for operator in operators if operator is not None]
        return self.wait(marks, Event.READY)

    def load_raw(self, feed: int) -> None:
        """What the operators before the GEMM read for one feed; their last job on it frees the slot."""
        if self.plan.before and amount(self.plan.before[-1].elements, feed):
            self.raw[feed] = self._load(Stage.RAW, feed, self.wait(self.raw_slots.take(), Event.ISSUED))

    def load_operands(self, feed: int) -> None:
        """Operands of the GEMM that no operator of the chain makes; their slot is free once the array has read it."""
        if feed < len(self.plan.loops.feeds):
            waits = self.wait([self.floor.last_read], Event.ISSUED)
            loaded = [mark for stage in (Stage.STREAM, Stage.STATIONARY) for mark in self._load(stage, feed, waits)]
            self.feeds.setdefault(feed, []).extend(loaded)

    def load_side(self, iteration: int) -> None:
        """What the operators after the GEMM read beside its results, for one iteration."""
        iterations = self.plan.loops.iterations
        if self.at[Stage.SIDE] and iteration < len(iterations) and iterations[iteration][-1].ends:
            waits = self.wait(self.side_slots.take(), Event.ISSUED)
            self.sides[iteration] = self._load(Stage.SIDE, iteration, waits)

    def room(self, operator: int, part: int) -> list[Dependency]:
        """Wait for room for what a vector operator writes in this part (feed or iteration; -1: it has room)."""
        taken = [
            mark
            for entry in self.writes.get(operator, ())
            if amount(entry.bits, part)
            for mark in self.rooms[entry.tensor].take()
        ]
        return self.wait(taken, Event.ISSUED)

    def store(self, stage: Stage, part: int) -> None:
        """Send part `part` of the chain's results to DRAM, after the vector job that wrote it."""
        for entry in self.at[stage]:
            written = self.written.get(entry.operator)
            bits = amount(entry.bits, part)
            if written is None or not bits:
                continue
            if entry.tensor in self.floor.resident:
                self._complete(entry.tensor, written)
                continue
            copied = entry.copy_of is not None and entry.copy_of not in self.floor.resident
            kind = JobKind.DRAM_STORE_COPY if copied else JobKind.DRAM_STORE
            job = self.floor.shop.dram_store(kind, entry.operator, bits)
            mark = self.floor.emitter.emit(job, self.wait([written], Event.READY))
            self.rooms[entry.tensor].free(mark)
            self._complete(entry.tensor, mark)

    def _complete(self, tensor: int, mark: Mark) -> None:
        """The last job so far that wrote a tensor; parts of a chain write the same one in turn, in one lane."""
        known = self.floor.ready.get(tensor)
        if known is None or known.index <= mark.index:
            self.floor.ready[tensor] = mark

    def shift(self, times: int) -> None:
        """The last iteration was repeated `times` more: the same loads now belong to later feeds and iterations."""
        for marks in (self.raw, self.feeds, self.made, self.sides):
            moved = {number + times: value for number, value in marks.items()}
            marks.clear()
            marks.update(moved)

    def _load(self, stage: Stage, part: int, waits: list[Dependency]) -> list[Mark]:
        """Load one part of every tensor of a stage that is not on the chip."""
        marks = []
        for entry in self.at[stage]:
            bits = amount(entry.bits, part)
            if bits and entry.tensor not in self.floor.resident:
                job = self.floor.shop.dram_load(JobKind.DRAM_LOAD_ACTIVATION, entry.operator, bits)
                cleared, self.cleared = self.wait([self.cleared], Event.ISSUED) + self.handed_over(DRAM), None
                marks.append(self.floor.emitter.emit(job, [*self.tensor(entry.tensor, DRAM), *waits, *cleared]))
        return marks


def amount(amounts: tuple[int, ...], part: int) -> int:
    """The amount of one part, 0 outside."""
    return amounts[part] if 0 <= part < len(amounts) else 0
