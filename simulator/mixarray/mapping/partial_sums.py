"""Sums that leave the accumulators before they are complete, and come back for the next values of K.

Every pass through K visits its tiles in the same order, so what left first comes back first: reload number r of a chain
brings what its store number r took away.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.emitter import Mark
from mixarray.mapping.schedule import Dependency, Event, JobKind, Recent
from mixarray.mapping.tiles import Stripe
from mixarray.mapping.transfers import Floor
from mixarray.mapping.units import DRAM

STORES, LOADS = (DRAM, JobKind.DRAM_STORE_PARTIAL), (DRAM, JobKind.DRAM_LOAD_PARTIAL)


@dataclass
class PartialSums:
    """The partial sums of one chain. known: stores before this number are waited for by an earlier reload."""

    floor: Floor
    plan: ChainPlan
    known: int = 0
    stripes: list[Stripe] = field(default_factory=list)

    def __post_init__(self) -> None:
        counts = self.floor.emitter.counts
        self.before = counts[STORES], counts[LOADS]
        if self.plan.loops.spills:
            self.stripes = [stripe for iteration in self.plan.loops.iterations for stripe in iteration]

    def leaves(self, stripe: Stripe) -> bool:
        """Whether the sums of a stripe go out."""
        return self.plan.loops.spills and not stripe.ends

    def returns(self, number: int) -> bool:
        """Whether stripe `number` adds to sums that went out."""
        return number < len(self.stripes) and not self.stripes[number].begins

    def stored(self) -> bool:
        """Whether the store of what comes back next is on its way."""
        return self._stores() > self._loads()

    def store(self, stripe: Stripe, stream: Mark) -> Mark:
        """Send the sums of a stripe out once its last fold has written them."""
        emitter = self.floor.emitter
        return emitter.emit(
            self.floor.shop.partial_store(self._gemm, self._bits(stripe)), [emitter.recent(stream, Event.READY)]
        )

    def load(self, number: int, room: list[Dependency]) -> Mark:
        """Bring the sums of stripe `number` back, behind their store.

        While others go out their distance is the same for all. In the last pass through K nothing goes out: the first
        reload waits for the latest store, and those that follow on the channel need not wait again.
        """
        stripe, this, stores = self.stripes[number], self._loads(), self._stores()
        waits: list[Dependency] = []
        if not stripe.ends:
            waits = [Recent(*STORES, stores - this, Event.READY)]
        elif this >= self.known:
            waits = [Recent(*STORES, 1, Event.READY)]
            self.known = stores
        job = self.floor.shop.partial_load(self._gemm, self._bits(stripe))
        return self.floor.emitter.emit(job, [*waits, *room])

    def signature(self) -> list[tuple[int, int]]:
        """For each stripe what decides about its reload: its sums, and whom it waits for.

        -1: nothing comes back; 0: its own store; 1: nobody; 2: the first of a last pass; 3 and more: the last ones of
        it, whose stores may be later than the first reload.
        """
        slots = self.floor.accumulators.slots
        labels: list[tuple[int, int]] = []
        following = 0
        for number in reversed(range(len(self.stripes))):
            stripe = self.stripes[number]
            last = stripe.ends and not stripe.begins
            following = following + 1 if last else 0
            first = last and not self.stripes[number - 1].ends
            label = -1 if stripe.begins else 0 if not stripe.ends else 2 if first else 1
            labels.append((stripe.sums, following + 2 if last and following <= slots + 1 else label))
        return labels[::-1]

    @property
    def _gemm(self) -> int:
        assert self.plan.chain.gemm is not None  # only sums of a GEMM can be partial
        return self.plan.chain.gemm

    def _bits(self, stripe: Stripe) -> int:
        return stripe.sums * self.floor.shop.model.accumulator_bits

    def _stores(self) -> int:
        return self.floor.emitter.counts[STORES] - self.before[0]

    def _loads(self) -> int:
        return self.floor.emitter.counts[LOADS] - self.before[1]
