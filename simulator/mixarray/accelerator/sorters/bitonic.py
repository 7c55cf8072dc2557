"""A bitonic sorting network, folded onto the comparators of the vector unit."""

from __future__ import annotations

from mixarray.accelerator.sorter import Sorter


def _stages(scores: int) -> int:
    levels = max(scores - 1, 0).bit_length()
    return levels * (levels + 1) // 2


def _pairs(scores: int) -> int:
    return (1 << max(scores - 1, 0).bit_length()) // 2


SORTER = Sorter(
    name="bitonic",
    title="a bitonic network folded onto comparators in the vector unit; a full order, whatever the cuts",
    cycles=lambda scores, width, _cuts: _stages(scores) * -(-_pairs(scores) // max(width // 2, 1)),
    compares=lambda scores, _cuts: _stages(scores) * _pairs(scores),
    walks=lambda scores, _cuts: _stages(scores),
    swaps=True,
    dedicated=False,
    source="Batcher, AFIPS 1968: log2(n) (log2(n) + 1) / 2 stages of n / 2 comparators, n the next power of two",
)
