"""A systolic priority queue: one score enters per cycle and all cells compare at once."""

from __future__ import annotations

from mixarray.accelerator.sorter import Sorter

SORTER = Sorter(
    name="systolic_queue",
    title="a systolic priority queue beside the vector unit, one for each grid, with a cell for each window; a full "
    "order, one score per cycle whatever sorter_width says",
    cycles=lambda scores, _width, _cuts: 2 * scores,
    compares=lambda scores, _cuts: scores * scores,
    walks=lambda _scores, _cuts: 1,
    swaps=False,
    dedicated=True,
    source="Leiserson, Systolic priority queues, 1979: one insertion and one extraction per cycle; every cell compares",
)
