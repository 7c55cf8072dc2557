"""Mode switches: the pauses of an array between rows of different modes.

Before a stream whose first row runs in another mode than the last row before it, the array switches once; a stream
whose rows change their mode inside (a tile across the border of two groups) has one switch more for each change. Those
stand before the stream too: it pauses as long in all, only sooner. The first rows of all find the array in their mode.
An array of one mode has no switches.
"""

from __future__ import annotations

from collections.abc import Sequence

from mixarray.accelerator.modes import Bits
from mixarray.mapping.jobs import Shop
from mixarray.mapping.schedule import JobKind
from mixarray.mapping.steps import Step


def with_switches(shop: Shop, steps: Sequence[Step], mode: Bits | None) -> tuple[tuple[Step, ...], Bits | None]:
    """The steps with their switches on an array that last ran `mode` (None: nothing yet), and the mode after them."""
    if len(shop.model.pe_modes) == 1:
        return tuple(steps), None
    found: list[Step] = []
    for step in steps:
        if step.job.kind is JobKind.STREAM:
            modes = [product.mode_bits for product in step.job.products]
            before = modes[0] if mode is None else mode
            changes = sum(ours != theirs for ours, theirs in zip([before, *modes], modes, strict=False))
            found += [Step(shop.switch(step.job))] * changes
            mode = modes[-1]
        found.append(step)
    return tuple(found), mode
