"""The folds of a stripe on the weight port and the array."""

from __future__ import annotations

from dataclasses import dataclass, field

from mixarray.mapping.chain_plan import ChainPlan, Stage
from mixarray.mapping.emitter import Mark
from mixarray.mapping.jobs import ACTIVATION, ARRAY, PORT, WEIGHT
from mixarray.mapping.schedule import Dependency, Event, Job
from mixarray.mapping.tiles import Stripe, fold_depths
from mixarray.mapping.transfers import Floor, Transfers

Fold = tuple[Job, Job]
"""Array load and stream: separate jobs, so that max(Meff, R) emerges and is never coded."""


@dataclass(slots=True)
class ArrayWork:
    """Emits the stripes of one chain's GEMM."""

    floor: Floor
    plan: ChainPlan
    transfers: Transfers
    known: dict[Stripe, list[Fold]] = field(default_factory=dict)

    def stripe(self, gemm: int, stripe: Stripe, feeds: list[Mark]) -> Mark:
        """All folds of one stripe; returns its last stream.

        The first stream waits for its operand (`feeds`) and for an accumulator slot; the first load of a batched GEMM
        for its stationary operand, any other for its weights.
        """
        floor, emitter = self.floor, self.floor.emitter
        weights = bool(self.plan.weight_bits)
        arrived = self.transfers.wait(feeds, Event.READY)
        load_waits = self._resident(Stage.STATIONARY, PORT) + ([] if weights else arrived)
        stream_waits = self._resident(Stage.STREAM, ARRAY) + arrived
        stream_waits += self.transfers.wait([floor.accumulators.take()], Event.ISSUED)
        mark = None
        for load, stream in self._folds(gemm, stripe, WEIGHT if weights else ACTIVATION):
            loaded = emitter.emit(load, [*load_waits, *floor.weights.fold_waits(self.plan)])
            floor.weights.fold_done(loaded)
            mark = emitter.emit(stream, [*self.transfers.wait([loaded], Event.READY), *stream_waits])
            load_waits, stream_waits = [], []
        assert mark is not None  # a stripe has at least one fold
        floor.last_stream = mark
        return mark

    def _resident(self, stage: Stage, unit: int) -> list[Dependency]:
        tensors = [entry.tensor for entry in self.plan.at(stage) if entry.tensor in self.floor.resident]
        return [wait for tensor in tensors for wait in self.transfers.tensor(tensor, unit)]

    def _folds(self, gemm: int, stripe: Stripe, place: str) -> list[Fold]:
        """Every fold of a stripe, columns outside, K inside; made once per distinct stripe."""
        known = self.known.get(stripe)
        if known is not None:
            return known
        shop, run = self.floor.shop, stripe.runs[0]
        assert run.mode is not None
        depths = fold_depths(self.plan.k, run.mode.fold_depth(shop.accelerator.arrays[0].rows))
        group = run.group if len(stripe.runs) == 1 else -1
        made: dict[tuple[int, int, bool], Fold] = {}
        for width in dict.fromkeys(stripe.widths):
            for first, kinds in ((True, depths[:1]), (False, depths[1:])):
                for depth in dict.fromkeys(kinds):
                    load = shop.array_load(gemm, group, (depth, width), run.stationary_bits, place)
                    made[width, depth, first] = load, shop.stream(gemm, stripe.runs, (depth, width), first)
        folds = [made[width, depth, number == 0] for width in stripe.widths for number, depth in enumerate(depths)]
        self.known[stripe] = folds
        return folds
