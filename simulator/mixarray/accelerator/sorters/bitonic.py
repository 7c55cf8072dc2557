"""A bitonic sorting network, folded onto a row of comparators."""

from __future__ import annotations

from mixarray.accelerator.sorter import Sorter


def _stages(scores: int) -> int:
    levels = max(scores - 1, 0).bit_length()
    return levels * (levels + 1) // 2


def _pairs(scores: int) -> int:
    return (1 << max(scores - 1, 0).bit_length()) // 2


SORTER = Sorter(
    name="bitonic",
    title="a bitonic network folded onto the comparators",
    cycles=lambda scores, width: _stages(scores) * -(-_pairs(scores) // max(width // 2, 1)),
    compares=lambda scores: _stages(scores) * _pairs(scores),
    source="Batcher, AFIPS 1968: log2(n) (log2(n) + 1) / 2 stages of n / 2 comparators, n the next power of two",
)
