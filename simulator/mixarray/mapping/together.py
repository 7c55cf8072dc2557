"""Puts sections of planned chains in order: parts that run at the same time are written down in turn.

The order in which shared units (vector unit, memory) serve two parts is fixed in the Schedule: rounds of some
iterations of each, in proportion to how many they have, so that both end together. What does not divide into rounds
comes last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from mixarray.mapping.bodies import Bodies, Signature, emit_bodies
from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.emitter import Emitter
from mixarray.mapping.fused import FusedLowering
from mixarray.mapping.fused_plan import FusedPlan, Planned, members
from mixarray.mapping.lower import ChainLowering
from mixarray.mapping.parts import halved
from mixarray.mapping.transfers import Floor
from mixarray.mapping.weights import same_weights

LARGEST_SHARE = 8
"""Bodies of one part for one of the other at most: rounds stay short enough to be written down."""
FINEST_SHARE = 2
"""Bodies of the part that has fewer, in one round, at most."""


def lower_sections(floors: Sequence[Floor], sections: Sequence[Sequence[Planned]]) -> None:
    """Emit all sections in order; `floors` are those of the arrays, by number."""
    for section in sections:
        used = [floors[plan.array] for plan in section]
        for floor in used:
            others = (other.last_read for other in floors if other is not floor)
            floor.before = tuple(mark for mark in others if mark is not None)
        if len(section) == 1:
            emit_bodies(_lowering(used[0], section[0]))
        elif all(same_weights(*plans) or not plans[0].weight_bits for plans in _by_chain(section)):
            _together([_lowering(floor, plan) for floor, plan in zip(used, section, strict=True)])
        else:
            _with_own_weights(used, section)


def _lowering(floor: Floor, plan: Planned) -> Bodies:
    return FusedLowering(floor, plan) if isinstance(plan, FusedPlan) else ChainLowering(floor, plan)


def _by_chain(section: Sequence[Planned]) -> list[tuple[ChainPlan, ...]]:
    """The plans of each chain of a section, or of its pair, part by part."""
    return list(zip(*(members(plan) for plan in section), strict=True))


def weights_in_order(sections: Sequence[Sequence[Planned]]) -> list[ChainPlan]:
    """All plans with weights; those of one chain that run at the same time stand side by side."""
    plans = (plan for section in sections for part in _by_chain(section) for plan in part)
    return [plan for plan in plans if plan.weight_bits]


def _with_own_weights(floors: Sequence[Floor], section: Sequence[Planned]) -> None:
    """Each part fetches its weights into its half of every slot."""
    slots, shops = floors[0].weights.slots, [floor.weights.shop for floor in floors]
    halves = [slots.half() for _ in floors]
    for floor, half, shop in zip(floors, halves, shops, strict=True):
        floor.weights.slots = half
        floor.weights.shop = replace(shop, accelerator=halved(shop.accelerator, weights=True))
    _together([_lowering(floor, plan) for floor, plan in zip(floors, section, strict=True)])
    slots.join(*halves)
    for floor, shop in zip(floors, shops, strict=True):
        floor.weights.slots, floor.weights.shop = slots, shop


@dataclass(slots=True)
class _Track:
    """One part on its way: the bodies that it has emitted, and how many it emits in a round."""

    lowering: Bodies
    steps: Iterator[int]
    ends: Sequence[int]
    signatures: list[Signature]
    stride: int = 1
    body: int = 0

    def left(self) -> int:
        """Whole rounds that are left."""
        return (len(self.ends) - self.body) // self.stride

    def round(self) -> None:
        """Emit the bodies of one round."""
        self.body += self.stride
        while self.lowering.number < self.ends[self.body - 1]:
            next(self.steps)

    def alike(self) -> int:
        """How many rounds follow that are like the last one."""
        last, rounds = self._signed(self.body - self.stride), 0
        while rounds < self.left() and self._signed(self.body + rounds * self.stride) == last:
            rounds += 1
        return rounds

    def jump(self, rounds: int) -> None:
        """So many rounds like the last one have passed."""
        self.body += rounds * self.stride
        self.lowering.jump(self.ends[self.body - 1] - self.lowering.number)

    def _signed(self, body: int) -> list[list[Signature]]:
        """What the bodies of a round beginning with `body` look like."""
        starts = [self.ends[number - 1] if number else 0 for number in range(body, body + self.stride)]
        return [self.signatures[start : self.ends[body + i]] for i, start in enumerate(starts)]


def _together(lowerings: Sequence[Bodies]) -> None:
    """Emit two parts in turn."""
    emitter = lowerings[0].floor.emitter
    tracks, remember = [], 0
    for lowering in lowerings:
        lowering.start()
        tracks.append(_Track(lowering, lowering.steps(), lowering.ends(), lowering.signatures()))
        remember = max(remember, emitter.remember)
    emitter.remember = remember  # a round has an iteration of each at least
    for track, stride in zip(tracks, _strides(*(len(track.ends) for track in tracks)), strict=True):
        track.stride = stride
    _rounds(emitter, tracks)
    for track in tracks:
        track.stride = 1
        _rounds(emitter, [track])
    for lowering in lowerings:
        lowering.finish()


def _strides(ours: int, theirs: int) -> tuple[int, int]:
    """Bodies of each part in a round, in proportion to how many there are of them."""
    if ours < theirs:
        fewer, more = _strides(theirs, ours)
        return more, fewer
    share = min(Fraction(ours, theirs).limit_denominator(FINEST_SHARE), Fraction(LARGEST_SHARE))
    return share.numerator, share.denominator


def _rounds(emitter: Emitter, tracks: Sequence[_Track]) -> None:
    """Whole rounds while all tracks have one; those that have settled are repeated without looking at each."""
    emitter.fence()
    while all(track.left() for track in tracks):
        for track in tracks:
            track.round()
        emitter.close()
        if emitter.settled():
            rounds = min(track.alike() for track in tracks)
            if rounds:
                emitter.repeat_last(rounds)
                for track in tracks:
                    track.jump(rounds)
