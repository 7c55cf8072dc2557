"""A systolic priority queue: one score enters per cycle and all cells compare at once."""

from __future__ import annotations

from mixarray.accelerator.sorter import Sorter

SORTER = Sorter(
    name="systolic_queue",
    title="a systolic priority queue with a cell for each window",
    cycles=lambda scores, width: 2 * scores,
    compares=lambda scores: scores * scores,
    source="Leiserson, Systolic priority queues, 1979: one insertion and one extraction per cycle; every cell compares",
)
