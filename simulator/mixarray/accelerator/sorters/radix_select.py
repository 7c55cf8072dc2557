"""Radix selection: one walk over all scores for each bit of a score; no order inside the groups is made."""

from __future__ import annotations

from mixarray.accelerator.sorter import Sorter

SCORE_BITS = 16

SORTER = Sorter(
    name="radix_select",
    title="one walk over the scores per score bit, in the vector unit",
    cycles=lambda scores, width: SCORE_BITS * -(-scores // width),
    compares=lambda scores: SCORE_BITS * scores,
    source="Knuth, The Art of Computer Programming 3, radix exchange, one bit at a time; 16-bit scores: assumed",
)
