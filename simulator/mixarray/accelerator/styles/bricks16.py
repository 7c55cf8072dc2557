"""The 16-brick PE: Bit Fusion's Fusion Unit (ISCA 2018), sixteen 2x2-bit multipliers composed in space.

A product of a by w bits takes ceil(a/2) * ceil(w/2) bricks, so (8 / a) * (8 / w) products of 2, 4 or 8 bits are made in
every cycle. They lie along K: a PE adds all of them to the one partial sum that passes through it. That is the rule of
the authors' simulator (`pf` in optimizer.py); the unit is symmetric in its operands, which gives all nine modes.

Stationary values: one 32-bit word, as wide as the unit takes at 2x2 bits (16 of 2, 8 of 4 or 4 of 8 bits). A mode
that multiplies fewer of them at once takes the rest in further passes: at 4 stationary bits 8-bit rows take up to four
passes, 4-bit rows two and 2-bit rows one, all in the same fold. That the word has this one width in all modes, and is
kept in the PE while rows stream, is a guess: Bit Fusion's units read their weights from a buffer beside them.
"""

from __future__ import annotations

from itertools import product

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.modes import Bits, Mode, PeStyle

OPERAND_BITS = (2, 4, 8)
WIDEST_BITS = 8
WORD_BITS = 32


def _mode(stream_bits: int, stationary_bits: int) -> Mode:
    lanes = (WIDEST_BITS // stream_bits) * (WIDEST_BITS // stationary_bits)
    return Mode(stream_bits, stationary_bits, lanes, slots=WORD_BITS // stationary_bits, slots_per_value=1)


_SUPPORTED: dict[Bits, Mode] = {bits: _mode(*bits) for bits in product(OPERAND_BITS, OPERAND_BITS)}


def _modes(pairs: tuple[Bits, ...]) -> tuple[Mode, ...]:
    unknown = [pair for pair in pairs if pair not in _SUPPORTED]
    if unknown:
        raise ValueError(f"a 16-brick PE has no mode {unknown[0]}; allowed: {', '.join(map(str, _SUPPORTED))}")
    return tuple(_SUPPORTED[pair] for pair in pairs)


STYLE = PeStyle(
    name="bricks16",
    title="sixteen 2-bit bricks, one stationary word of 32 bits",
    make_modes=_modes,
    pe_stationary_bits=lambda modes: WORD_BITS,
    illegal={
        Dataflow.OUTPUT_STATIONARY: "its products of one cycle add up along K; a step of K brings one product to a PE",
    },
)
