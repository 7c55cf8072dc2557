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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from mixarray.mapping.amounts import ceil_div
from mixarray.mapping.array_work import ArrayWork
from mixarray.mapping.bodies import Signature, emit_bodies
from mixarray.mapping.chain_plan import ChainPlan, Stage, VectorWork
from mixarray.mapping.emitter import Mark
from mixarray.mapping.partial_sums import PartialSums
from mixarray.mapping.schedule import Dependency, Event
from mixarray.mapping.tiles import Iteration, Stripe
from mixarray.mapping.transfers import NOTHING, Floor, Transfers, amount
from mixarray.mapping.units import VECTOR


@dataclass(frozen=True, slots=True)
class _Finished:
    """A stripe that the array has finished, its sums still in their slot: its number, iteration and last stream."""

    stripe: Stripe
    number: int
    iteration: int
    stream: Mark | None
    leaves: bool = False


@dataclass
class ChainLowering:
    """Emits one chain. starts[i]: the first stripe of iteration i.

    number: iterations emitted. held: accumulator slots of stripes that the array still adds to. returned: the reload of
    the next stripe's sums.
    """

    floor: Floor
    plan: ChainPlan
    pending: deque[_Finished] = field(default_factory=deque)
    number: int = 0
    held: int = 0
    returned: Mark | None = None

    def __post_init__(self) -> None:
        self.transfers = Transfers(self.floor, self.plan)
        self.array = ArrayWork(self.floor, self.plan, self.transfers)
        self.partials = PartialSums(self.floor, self.plan)
        self.ahead = self.plan.loops.ahead + self.plan.loops.lead
        self.starts = [0, *accumulate(len(iteration) for iteration in self.plan.loops.iterations)]

    def run(self) -> None:
        """Emit the whole chain; iterations that have settled are repeated without looking at each."""
        emit_bodies(self)

    def start(self) -> None:
        """Everything before the first iteration."""
        self.floor.weights.prepare(self.plan)
        self.open()

    def open(self) -> None:
        """Everything before the first iteration but the list of its weights' fetches."""
        emitter, loops = self.floor.emitter, self.plan.loops
        buffers = self.floor.shop.accelerator.buffers
        emitter.fence()
        reach = max(loops.ahead, buffers.accumulator.slots, 2)
        if loops.together:
            emitter.remember = 2 + max(buffers.weight.slots, ceil_div(reach + 1, min(loops.together)))
        else:
            emitter.remember = 3 + max(buffers.weight.slots, reach)
        self._prologue()
        self._moves(0)
        emitter.close()

    def steps(self) -> Iterator[int]:
        """Emit one iteration after the other; yields how many there are. Whoever drives this closes the iterations of
        the emitter, and may interleave several chains.
        """
        while self.number < len(self.plan.loops.iterations):
            self._stripes(self.number, self.plan.loops.iterations[self.number])
            self._moves(self.number + 1)
            self.number += 1
            yield self.number

    def finish(self) -> None:
        """Everything after the last iteration."""
        self.floor.weights.end(self.plan)
        self.floor.emitter.fence()

    def ends(self) -> Sequence[int]:
        """After how many iterations each body ends that may recur."""
        loops = self.plan.loops
        return [*accumulate(loops.together)] or range(1, len(loops.iterations) + 1)

    def signatures(self) -> list[Signature]:
        """Everything that decides what is emitted from the stripes of an iteration to the moves of the next one, apart
        from waits: equal signatures mean equal jobs.
        """
        plan, loops, ahead, early = self.plan, self.plan.loops, self.ahead, self.transfers.early
        numbers = range(len(loops.iterations))
        shift = dict.fromkeys((Stage.STREAM, Stage.STATIONARY, Stage.FED), 1 + ahead)
        shift |= {Stage.RAW: 1 + ahead + early, Stage.SIDE: 1 + early, Stage.OUT: 0, Stage.INNER: 0}
        columns: list[list[object]] = [list(loops.iterations)]
        for entry in plan.traffic:
            columns.append([amount(entry.bits, number + shift[entry.stage]) for number in numbers])
        for work in plan.before:
            columns.append([amount(work.elements, number + 1 + ahead) for number in numbers])
        for work in plan.after:
            columns.append([work.elements[self.starts[i] : self.starts[i + 1]] for i in numbers])
        columns.append([*self.floor.weights.upcoming(plan)])
        if loops.spills:
            reloads = self.partials.signature()
            columns.append([tuple(reloads[self.starts[i] + 1 : self.starts[i + 1] + 1]) for i in numbers])
        return list(zip(*columns, strict=True))

    def jump(self, steps: int) -> None:
        """So many more iterations have passed, alike the last ones."""
        self.floor.weights.advance(self.plan, self.number, steps)
        self.shift(steps)

    def shift(self, iterations: int) -> None:
        """So many more iterations have passed for everything but the weights."""
        self.transfers.shift(iterations)
        self.number += iterations

    def _prologue(self) -> None:
        """Everything that the first iteration needs before it can start, then the next chain's weights."""
        ahead, early, emitter = self.ahead, self.transfers.early, self.floor.emitter
        self.transfers.load_parameters()
        emitter.close()
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
        """Step 3: the stripes of one iteration; each begins with fewer than all accumulator slots waiting to drain."""
        feeds = self.transfers.arrived(number)
        gemm = self.plan.chain.gemm
        for position, stripe in enumerate(iteration):
            index = self.starts[number] + position
            if gemm is None:
                self.pending.append(_Finished(stripe, index, number, None))
                continue
            stream = self.array.stripe(gemm, stripe, NOTHING if position else feeds, self._room(stripe))
            leaves = self.partials.leaves(stripe)
            if stripe.ends or leaves:
                self.held -= 1
                self.pending.append(_Finished(stripe, index, number, stream, leaves))
            if self.partials.returns(index + 1):
                self._reload(index + 1)
        if gemm is None:
            self._drain()

    def _room(self, stripe: Stripe) -> list[Dependency]:
        """What the sums of a stripe wait for: a free slot, those that come back into it, or nothing if they stayed."""
        if stripe.begins:
            return self._take()
        returned, self.returned = self.returned, None
        return self.transfers.wait([returned], Event.READY)

    def _take(self) -> list[Dependency]:
        """Occupy an accumulator slot."""
        while len(self.pending) + self.held >= self.floor.accumulators.slots:
            self._leave(self.pending.popleft())
        self.held += 1
        return self.transfers.wait(self.floor.accumulators.take(), Event.ISSUED)

    def _reload(self, number: int) -> None:
        """Bring back the sums of the next stripe while the array is busy with this one, where there is a slot."""
        while not self.partials.stored():
            self._leave(self.pending.popleft())
        self.returned = self.partials.load(number, self._take())

    def _drain(self) -> None:
        """Empty the slots up to the last one with complete sums; others leave when their slot is needed."""
        while any(not stripe.leaves for stripe in self.pending):
            self._leave(self.pending.popleft())

    def _leave(self, stripe: _Finished) -> None:
        """The sums of a stripe go to the vector unit, or out."""
        if not stripe.leaves:
            self._after(stripe)
            return
        assert stripe.stream is not None  # only the array makes sums
        self.floor.accumulators.free(self.partials.store(stripe.stripe, stripe.stream))

    def _before(self, feed: int) -> None:
        """Operators before the GEMM on one feed; the last one fills the tile that the array streams."""
        if not self.plan.before or not amount(self.plan.before[-1].elements, feed):
            return
        transfers = self.transfers
        waits = transfers.wait(transfers.raw.pop(feed), Event.READY)
        waits += [*transfers.wait([self.floor.last_read], Event.ISSUED), *transfers.handed_over(VECTOR)]
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
            elements = amount(work.elements, stripe.number)
            if not elements:
                continue
            waits = [*side, *transfers.wait([stripe.stream] if work.accumulator_bits else [], Event.READY)]
            waits += transfers.wait([done[maker] for maker in work.makers if maker in done], Event.READY)
            part = stripe.iteration if stripe.number == first else -1
            mark = done[work.operator] = self._vector(work, elements, waits, part)
            side = []
        mark = mark or stripe.stream
        if mark is None:
            return
        if stripe.stream is not None:
            self.floor.accumulators.free(mark)
        if stripe.number == end - 1 and transfers.at[Stage.SIDE]:
            transfers.side_slots.free(mark)
            transfers.sides.pop(stripe.iteration, None)

    def _vector(self, work: VectorWork, elements: int, waits: list[Dependency], part: int) -> Mark:
        """One vector job: it also waits for tensors that stay on the chip, and for room for its result."""
        stays = self.transfers.stays.get(work.operator, ())
        waits = [*waits, *(wait for tensor in stays for wait in self.transfers.tensor(tensor, VECTOR))]
        waits += self.transfers.parameters_of(work)
        again = work.operator in work.makers  # it turns or sorts what its operator has written: in the room of that
        waits += self.transfers.room(work.operator, part if work.write_bits and not again else -1)
        job = self.floor.shop.vector(work, elements)
        mark = self.transfers.written[work.operator] = self.floor.emitter.emit(job, waits)
        return mark
