"""The plain PE: one multiplier of fixed width; whatever is narrower runs in that one mode."""

from __future__ import annotations

from mixarray.accelerator.modes import Bits, Mode, PeStyle


def _modes(pairs: tuple[Bits, ...]) -> tuple[Mode, ...]:
    if len(pairs) != 1:
        raise ValueError(f"a plain PE has one multiplier and so one mode, not {len(pairs)}")
    stream_bits, stationary_bits = pairs[0]
    return (Mode(stream_bits, stationary_bits, lanes=1, slots=1, slots_per_value=1),)


STYLE = PeStyle(
    name="plain",
    title="one multiplier of fixed width",
    make_modes=_modes,
    pe_stationary_bits=lambda modes: modes[0].stationary_bits,
    illegal={},
)
