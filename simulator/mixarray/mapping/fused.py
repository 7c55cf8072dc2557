"""Emits a fused pair: two chains in turns, tile by tile, what passes between them in slots of the activation buffer.

With two slots the first chain is one tile ahead: body t holds tile t+1 of the first and tile t of the second, so the
array runs the first chain while the vector unit finishes the tile that the second reads next. With one slot they
follow each other within a body. A tile of the second chain waits until everything that the first makes of it is
written; the first chain writes into a slot again once the second has read it for the last time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mixarray.mapping.bodies import Signature, emit_bodies
from mixarray.mapping.chain_plan import ChainPlan, Stage, Traffic
from mixarray.mapping.emitter import Mark
from mixarray.mapping.fused_plan import FusedPlan
from mixarray.mapping.lower import ChainLowering
from mixarray.mapping.transfers import Floor
from mixarray.mapping.weights import WeightPath

FIRST, SECOND = range(2)


class FusedLowering:
    """Emits one pair. number: tiles of the second chain that it has emitted.

    ways: the way of the weights of either chain. Where weights stay they are two; where every tile fetches its own it
    is one, because fetches take slots in the order in which the array reads them.
    """

    def __init__(self, floor: Floor, plan: FusedPlan) -> None:
        self.floor, self.plan, self.number = floor, plan, 0
        self.lowerings = tuple(ChainLowering(floor, member) for member in plan.members)
        self.lowerings[SECOND].transfers.cleared = self.lowerings[FIRST].transfers.cleared
        self.fetches = bool(plan.second.weight_bits) and not plan.second.holding.weights_whole
        way = floor.weights
        self.ways: tuple[WeightPath, ...] = (way, way if self.fetches else way.behind())
        self.made = plan.first.at(Stage.INNER)
        self._steps = tuple(lowering.steps() for lowering in self.lowerings)

    def run(self) -> None:
        """Emit the whole pair; bodies that have settled are repeated without looking at each."""
        emit_bodies(self)

    def start(self) -> None:
        """Everything before the first body; where the first chain is ahead, its first tile too."""
        emitter, remember = self.floor.emitter, 0
        if self.fetches:
            self.ways[FIRST].prepare_pair(list(self._turns()))
        for member, lowering in enumerate(self.lowerings):
            self.floor.weights = self.ways[member]
            if not self.fetches:
                self.floor.weights.prepare(lowering.plan)
            lowering.open()
            remember = max(remember, emitter.remember)
        emitter.remember = remember + self.plan.lag
        for tile in range(self.plan.lag):
            self._make(tile)
        emitter.fence()

    def steps(self) -> Iterator[int]:
        """Emit one body after the other; yields how many there are."""
        while self.number < self.plan.tiles:
            self._make(self.number + self.plan.lag)
            self._use(self.number)
            self.number += 1
            yield self.number

    def finish(self) -> None:
        """Everything after the last body."""
        for way, lowering in zip(self.ways, self.lowerings, strict=True):
            self.floor.weights = way
            lowering.finish()
        self.floor.weights = self.ways[FIRST]

    def ends(self) -> Sequence[int]:
        """Every tile is a body."""
        return range(1, self.plan.tiles + 1)

    def signatures(self) -> list[Signature]:
        """What decides which jobs the bodies emit: the tiles of both chains in them."""
        found: list[list[Signature]] = []
        for way, lowering, lag in zip(self.ways, self.lowerings, (self.plan.lag, 0), strict=True):
            self.floor.weights = way
            signed, each = lowering.signatures(), self._each(lowering.plan)
            found.append([tuple(signed[(tile + lag) * each :][:each]) for tile in range(self.plan.tiles)])
        return list(zip(*found, strict=True))

    def jump(self, steps: int) -> None:
        """So many more bodies have passed, alike the last ones."""
        second = self.lowerings[SECOND]
        self.ways[SECOND].advance(second.plan, second.number, steps * self._each(second.plan))
        for lowering in self.lowerings:
            lowering.shift(steps * self._each(lowering.plan))
        self.number += steps

    def _each(self, member: ChainPlan) -> int:
        """Iterations of a chain for one tile."""
        return len(member.loops.iterations) // self.plan.tiles

    def _turns(self) -> Iterator[tuple[ChainPlan, range]]:
        """The iterations of both chains in the order in which they are emitted."""
        for number in range(-self.plan.lag, self.plan.tiles):
            for member, tile in zip(self.plan.members, (number + self.plan.lag, number), strict=True):
                if 0 <= tile < self.plan.tiles:
                    each = self._each(member)
                    yield member, range(tile * each, (tile + 1) * each)

    def _emit(self, member: int, tile: int) -> None:
        """All iterations of a tile."""
        lowering = self.lowerings[member]
        self.floor.weights = self.ways[member]
        while lowering.number < (tile + 1) * self._each(lowering.plan):
            next(self._steps[member])

    def _make(self, tile: int) -> None:
        """A tile of the first chain; the second waits for the last job of each operator that wrote its results."""
        if tile >= self.plan.tiles:
            return
        self._emit(FIRST, tile)
        written = self.lowerings[FIRST].transfers.written
        marks = [written[operator] for operator in dict.fromkeys(entry.operator for entry in self.made)]
        self.lowerings[SECOND].transfers.made[tile * self._each(self.plan.second)] = marks

    def _use(self, tile: int) -> None:
        """A tile of the second chain; its last readers free the slots of what it read."""
        self._emit(SECOND, tile)
        for entry in self.made:
            self.lowerings[FIRST].transfers.rooms[entry.tensor].free(*self._readers(entry))

    def _readers(self, entry: Traffic) -> list[Mark]:
        """Who read a tensor of the tile last: the array, and the vector operators that read it beside the GEMM.

        The first chain waits for all of them, though the order of the array's jobs would make it late enough by itself.
        """
        last_read, written = self.floor.last_read, self.lowerings[SECOND].transfers.written
        assert last_read is not None  # the array has just read a tile
        beside = [work.operator for work in self.plan.second.after if entry.operator in work.makers]
        return [last_read, *(written[operator] for operator in beside)]
