"""The packed W4 PE: two 4-bit stationary slots and two 4-bit bricks (the MixA-Q PTQ case, design 4).

(4,4) multiplies both slots in one pass; (8,4) takes one pass per occupied slot; (8,8), which QK^T and AV of the high
branch need, holds the nibbles of one stationary value in the two slots: two passes, the second shifted by 4 bits at
the accumulator.
"""

from __future__ import annotations

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.modes import Bits, Mode, PeStyle

SLOTS = 2
SLOT_BITS = 4

_SUPPORTED = {
    (4, 4): Mode(4, 4, lanes=2, slots=SLOTS, slots_per_value=1),
    (8, 4): Mode(8, 4, lanes=1, slots=SLOTS, slots_per_value=1),
    (8, 8): Mode(8, 8, lanes=1, slots=SLOTS, slots_per_value=2),
}


def _modes(pairs: tuple[Bits, ...]) -> tuple[Mode, ...]:
    unknown = [pair for pair in pairs if pair not in _SUPPORTED]
    if unknown:
        raise ValueError(f"a packed W4 PE has no mode {unknown[0]}; allowed: {', '.join(map(str, _SUPPORTED))}")
    return tuple(_SUPPORTED[pair] for pair in pairs)


STYLE = PeStyle(
    name="packed_w4",
    title="two 4-bit stationary slots, two 4-bit bricks",
    make_modes=_modes,
    pe_stationary_bits=lambda modes: SLOTS * SLOT_BITS,
    illegal={
        Dataflow.INPUT_STATIONARY: "the two slots hold 4-bit weights; 8-bit stationary activations would leave no lane",
        Dataflow.OUTPUT_STATIONARY: "nothing but the sum stays in the PE, so there is nothing to pack in its slots",
    },
)
