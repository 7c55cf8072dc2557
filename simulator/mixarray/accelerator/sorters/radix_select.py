"""Radix selection: for every cut one walk over all scores for each of their bits; inside the groups is no order."""

from __future__ import annotations

from mixarray.accelerator.sorter import SCORE_BITS, Sorter

SORTER = Sorter(
    name="radix_select",
    title="for each cut between groups one walk over the scores per score bit, in the vector unit",
    cycles=lambda scores, width, cuts: cuts * SCORE_BITS * -(-scores // width),
    compares=lambda scores, cuts: cuts * SCORE_BITS * scores,
    walks=lambda _scores, cuts: cuts * SCORE_BITS,
    swaps=False,
    dedicated=False,
    source="Knuth, The Art of Computer Programming 3, radix exchange, one bit at a time, here counting what is above "
    "the cut; 16-bit scores, every cut from the start: assumed",
)
