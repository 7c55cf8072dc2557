"""Emitting a lowering body by body: bodies that have settled are repeated without looking at each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from mixarray.mapping.transfers import Floor

Signature = tuple[object, ...]
"""What decides which jobs an iteration emits, apart from waits: equal signatures mean equal jobs."""


class Bodies(Protocol):
    """A chain, or a fused pair, on its way into the Schedule, in steps of which one or several make a body.

    floor: what it is emitted on. number: the steps that it has taken.
    """

    floor: Floor
    number: int

    def start(self) -> None:
        """Emit everything before the first step."""

    def steps(self) -> Iterator[int]:
        """Emit one step after the other; yields how many there are. Whoever drives this closes the iterations of the
        emitter, and may interleave several lowerings.
        """
        ...

    def finish(self) -> None:
        """Emit everything after the last step."""

    def ends(self) -> Sequence[int]:
        """After how many steps each body ends that may recur."""
        ...

    def signatures(self) -> list[Signature]:
        """The signature of every step; to be asked after `start`."""
        ...

    def jump(self, steps: int) -> None:
        """So many more steps have passed, alike the last ones."""


def emit_bodies(lowering: Bodies) -> None:
    """Emit all of a lowering."""
    emitter, ends = lowering.floor.emitter, lowering.ends()
    lowering.start()
    signatures = lowering.signatures()
    body = 0
    for number in lowering.steps():
        if number == ends[body]:
            emitter.close()
            body += 1
            if emitter.settled():
                body += _skip(lowering, body, ends, signatures)
    lowering.finish()


def _skip(lowering: Bodies, body: int, ends: Sequence[int], signatures: list[Signature]) -> int:
    """Repeat the settled body before `body` for all that follow with the same signatures; returns how many."""
    start = ends[body - 2] if body > 1 else 0
    last, following = signatures[start : ends[body - 1]], body
    while following < len(ends) and signatures[ends[following - 1] : ends[following]] == last:
        following += 1
    if following > body:
        lowering.floor.emitter.repeat_last(following - body)
        lowering.jump(ends[following - 1] - ends[body - 1])
    return following - body
