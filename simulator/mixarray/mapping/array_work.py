"""The folds of a stripe on the units of the array: what each job waits for."""

from __future__ import annotations

from dataclasses import dataclass, field

from mixarray.mapping.chain_plan import ChainPlan, Stage
from mixarray.mapping.emitter import Mark
from mixarray.mapping.schedule import Dependency, Event
from mixarray.mapping.steps import Step, Work, stripe_steps
from mixarray.mapping.tiles import Stripe
from mixarray.mapping.transfers import Floor, Transfers


@dataclass(slots=True)
class ArrayWork:
    """Emits the stripes of one chain's GEMM."""

    floor: Floor
    plan: ChainPlan
    transfers: Transfers
    known: dict[Stripe, list[Step]] = field(default_factory=dict)

    def stripe(self, gemm: int, stripe: Stripe, feeds: list[Mark]) -> Mark:
        """All folds of one stripe; returns the job that completes its sums.

        The first job that reads rows waits for them (`feeds`), the first that writes sums for an accumulator slot. The
        other operand of a batched GEMM comes with the rows; weights have a way of their own.
        """
        floor, emitter = self.floor, self.floor.emitter
        weights = bool(self.plan.weight_bits)
        rows = other = sums = True  # not waited for yet
        mark = None
        for step in self._steps(Work(gemm, self.plan.k, weights), stripe):
            waits: list[Dependency] = []
            if step.rows and rows:
                waits += self._resident(Stage.STREAM, step.job.unit) + self.transfers.wait(feeds, Event.READY)
            if step.other and weights:
                waits += floor.weights.waits(self.plan)
            elif step.other and other:
                waits += self._resident(Stage.STATIONARY, step.job.unit) + self.transfers.wait(feeds, Event.READY)
            if step.sums and sums:
                waits += self.transfers.wait([floor.accumulators.take()], Event.ISSUED)
            rows, other, sums = rows and not step.rows, other and not step.other, sums and not step.sums
            mark = emitter.emit(step.job, waits)
            if step.other and weights:
                floor.weights.done(mark)
            if step.rows or (step.other and not weights):
                floor.last_read = mark
        assert mark is not None  # a stripe has at least one fold, and its last job writes sums
        return mark

    def _resident(self, stage: Stage, unit: int) -> list[Dependency]:
        tensors = [entry.tensor for entry in self.plan.at(stage) if entry.tensor in self.floor.resident]
        return [wait for tensor in tensors for wait in self.transfers.tensor(tensor, unit)]

    def _steps(self, work: Work, stripe: Stripe) -> list[Step]:
        """The jobs of a stripe; made once per distinct stripe."""
        known = self.known.get(stripe)
        if known is None:
            known = self.known[stripe] = stripe_steps(self.floor.shop, work, stripe)
        return known
