"""From a planned chain to jobs in order: the software pipeline that every iteration follows.

Iteration i, in this order on each unit (what repeats, and hence is stored, runs from step 3 of one iteration to step
2 of the next, so that a stripe and its drain stand in the same body):

1. vector unit: operators before the GEMM for the feed that the array needs next (their inputs came one step earlier),
   then operators after it for the stripes that the array has finished;
2. DRAM: what operators before the GEMM read one step later, operands that need no such operator, side inputs of the
   next iteration, weights; then the results of iteration i-1, so that a store never stands before a load that the
   array is about to need;
3. weight port and array: the folds of iteration i.

Buffers bind as dependencies on the job that frees a slot: a feed waits until the array has issued the last row of
iteration i-1, a stripe until an accumulator slot is drained, results until an earlier result is stored, weights until
the last load from their slot.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from mixarray.mapping.array_work import ArrayWork
from mixarray.mapping.chain_plan import ChainPlan, Stage, VectorWork
from mixarray.mapping.emitter import Mark
from mixarray.mapping.jobs import VECTOR
from mixarray.mapping.schedule import Dependency, Event
from mixarray.mapping.tiles import Iteration
from mixarray.mapping.transfers import Floor, Transfers, amount

Signature = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Finished:
    """A stripe that the array has finished and the vector unit has not: its number, iteration and last stream."""

    stripe: int
    iteration: int
    stream: Mark | None


@dataclass
class ChainLowering:
    """Emits one chain. starts[i]: the first stripe of iteration i."""

    floor: Floor
    plan: ChainPlan
    pending: deque[_Finished] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.transfers = Transfers(self.floor, self.plan)
        self.array = ArrayWork(self.floor, self.plan, self.transfers)
        self.ahead = self.plan.loops.ahead + self.plan.loops.lead
        self.starts = [0]
        for iteration in self.plan.loops.iterations:
            self.starts.append(self.starts[-1] + len(iteration))

    def run(self) -> None:
        """Emit the whole chain; iterations that have settled are repeated without looking at each."""
        emitter, loops, weights = self.floor.emitter, self.plan.loops, self.floor.weights
        buffers = self.floor.shop.accelerator.buffers
        emitter.fence()
        emitter.remember = 3 + max(loops.ahead, *(b.slots for b in (buffers.weight, buffers.accumulator)), 2)
        weights.prepare(self.plan)
        signatures = self._signatures()
        self._prologue()
        self._moves(0)
        emitter.close()
        number = 0
        while number < len(loops.iterations):
            self._stripes(number, loops.iterations[number])
            self._moves(number + 1)
            emitter.close()
            number += 1
            if emitter.settled():
                number += self._skip(number, signatures)
        weights.end(self.plan)
        emitter.fence()

    def _signatures(self) -> list[Signature]:
        """Everything that decides what is emitted from the stripes of an iteration to the moves of the next one, apart
        from waits: equal signatures mean equal jobs.
        """
        plan, loops, ahead, early = self.plan, self.plan.loops, self.ahead, self.transfers.early
        numbers = range(len(loops.iterations))
        shift = dict.fromkeys((Stage.STREAM, Stage.STATIONARY, Stage.FED), 1 + ahead)
        shift |= {Stage.RAW: 1 + ahead + early, Stage.SIDE: 1 + early, Stage.OUT: 0}
        columns: list[list[object]] = [list(loops.iterations)]
        for entry in plan.traffic:
            columns.append([amount(entry.bits, number + shift[entry.stage]) for number in numbers])
        for work in plan.before:
            columns.append([amount(work.elements, number + 1 + ahead) for number in numbers])
        for work in plan.after:
            columns.append([work.elements[self.starts[i] : self.starts[i + 1]] for i in numbers])
        columns.append([*self.floor.weights.upcoming(plan)])
        return list(zip(*columns, strict=True))

    def _skip(self, number: int, signatures: list[Signature]) -> int:
        """Repeat the settled iteration for all that follow with the same signature; returns how many."""
        end = number
        while end < len(signatures) and signatures[end] == signatures[number - 1]:
            end += 1
        times = end - number
        if times:
            self.floor.emitter.repeat_last(times)
            self.floor.weights.advance(number - 1, times)
            self.transfers.shift(times)
        return times

    def _prologue(self) -> None:
        """Everything that the first iteration needs before it can start, then the next chain's weights."""
        ahead, early, emitter = self.ahead, self.transfers.early, self.floor.emitter
        for feed in range(early):
            self.transfers.load_raw(feed)
            emitter.close()
        for feed in range(ahead):
            self.transfers.load_raw(feed + early)
            self._before(feed)
            self.transfers.load_operands(feed)
            self.transfers.store(Stage.FED, feed)
            emitter.close()
        for number in range(early):
            self.transfers.load_side(number)
        emitter.close()
        self.floor.weights.begin(self.plan)
        emitter.close()

    def _moves(self, number: int) -> None:
        """Steps 1 and 2 of iteration `number`; past the last one, what is left to drain and store."""
        transfers = self.transfers
        feed = number + self.ahead
        transfers.load_raw(feed + transfers.early)
        self._before(feed)
        self._drain()
        transfers.load_operands(feed)
        transfers.load_side(number + transfers.early)
        self.floor.weights.fill(self.plan, number)
        transfers.store(Stage.FED, feed)
        transfers.store(Stage.OUT, number - 1)

    def _stripes(self, number: int, iteration: Iteration) -> None:
        """Step 3: the stripes of one iteration; each starts with fewer than all accumulator slots waiting to drain."""
        feeds = self.transfers.arrived(number)
        gemm = self.plan.chain.gemm
        for position, stripe in enumerate(iteration):
            stream = None
            if gemm is not None:
                while len(self.pending) >= self.floor.accumulators.slots:
                    self._after(self.pending.popleft())
                stream = self.array.stripe(gemm, stripe, [] if position else feeds)
            self.pending.append(_Finished(self.starts[number] + position, number, stream))
        if gemm is None:
            self._drain()

    def _drain(self) -> None:
        while self.pending:
            self._after(self.pending.popleft())

    def _before(self, feed: int) -> None:
        """Operators before the GEMM on one feed; the last one fills the tile that the array streams."""
        if not self.plan.before or not amount(self.plan.before[-1].elements, feed):
            return
        transfers = self.transfers
        waits = transfers.wait(transfers.raw.pop(feed), Event.READY)
        waits += transfers.wait([self.floor.last_read], Event.ISSUED)
        mark = None
        for work in self.plan.before:
            elements = amount(work.elements, feed)
            if elements:
                mark = self._vector(work, elements, waits, feed)
                waits = transfers.wait([mark], Event.READY)
        assert mark is not None  # the last operator has elements
        transfers.raw_slots.free(mark)
        transfers.feeds.setdefault(feed, []).append(mark)

    def _after(self, stripe: _Finished) -> None:
        """Operators after the GEMM on one stripe; the last of them frees its accumulator slot."""
        transfers = self.transfers
        done: dict[int, Mark] = {}
        mark = None
        side = transfers.wait(transfers.sides.get(stripe.iteration, []), Event.READY)
        first, end = self.starts[stripe.iteration], self.starts[stripe.iteration + 1]
        for work in self.plan.after:
            elements = amount(work.elements, stripe.stripe)
            if not elements:
                continue
            waits = [*side, *transfers.wait([stripe.stream] if work.accumulator_bits else [], Event.READY)]
            waits += transfers.wait([done[maker] for maker in work.makers if maker in done], Event.READY)
            part = stripe.iteration if stripe.stripe == first else -1
            mark = done[work.operator] = self._vector(work, elements, waits, part)
            side = []
        mark = mark or stripe.stream
        if mark is None:
            return
        if stripe.stream is not None:
            self.floor.accumulators.free(mark)
        if stripe.stripe == end - 1 and self.plan.at(Stage.SIDE):
            transfers.side_slots.free(mark)
            transfers.sides.pop(stripe.iteration, None)

    def _vector(self, work: VectorWork, elements: int, waits: list[Dependency], part: int) -> Mark:
        """One vector job: it also waits for tensors that stay on the chip, and for room for its result."""
        resident = [
            entry.tensor
            for entry in self.plan.traffic
            if entry.operator == work.operator and entry.stage in (Stage.RAW, Stage.SIDE)
            if entry.tensor in self.floor.resident
        ]
        waits = [*waits, *(wait for tensor in resident for wait in self.transfers.tensor(tensor, VECTOR))]
        waits += self.transfers.room(work.operator, part)
        job = self.floor.shop.vector(work.operator, work.kind, elements, work.moves(elements))
        mark = self.transfers.written[work.operator] = self.floor.emitter.emit(job, waits)
        return mark
