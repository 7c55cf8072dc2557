"""The output-stationary array: sums stay, activations enter from the left, weights from the top (design 4 and 5).

A step k issued in cycle s computes at PE(r,c) in cycle s+r+c. Results leave downwards: a drain step t issued in cycle
d acts on PE(r,c) in cycle d+t+r+c, and the sum of array row R-1-t leaves the last row. A drain follows right behind
the last step of its fold. The policies mirror those of weight loading, for where the next sums go: `serial` waits
until all results are out, `single` until the drain has been issued, `double` has a second register that drains while
the next fold runs. Hence max(K, R) emerges here too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixarray.accelerator.enums import WeightLoading
from mixarray.accelerator.model import Array
from mixarray.array.events import ArrayEvent, Integers, event_rows, make_log
from mixarray.array.fold import OutputFold
from mixarray.array.stationary import Expansion, FoldTimes


def expand_output(array: Array, folds: Sequence[OutputFold]) -> Expansion:
    """Every event of a stream of folds on an output-stationary array.

    A step takes as many cycles as the weight port needs for one row of weights.
    """
    travel = array.rows + array.columns - 2
    parts: list[Integers] = []
    times: list[FoldTimes] = []
    for number, fold in enumerate(folds):
        start = max(times[-1].stream_issued_cycles if times else 0, _room(array.weight_loading, times))
        waited = np.cumsum(fold.step_gaps or np.zeros(fold.depth, np.int64))
        cycles = start + waited + (np.arange(fold.depth) + 1) * array.row_load_cycles - 1
        issued = int(cycles[-1]) + 1
        drain_start = max(issued, times[-1].other_issued_cycles if times else 0)
        drains = drain_start + np.arange(fold.drain_rows(array))
        drained = int(drains[-1]) + 1
        steps, bits = np.arange(fold.depth), (fold.mode.stream_bits, fold.mode.stationary_bits)
        parts.append(event_rows(ArrayEvent.ROW_ISSUE, cycles, number, steps, *bits))
        parts.append(event_rows(ArrayEvent.COMPUTE, cycles + travel, number, steps, *bits))
        parts.append(event_rows(ArrayEvent.DRAIN_ISSUE, drains, number, np.arange(len(drains))))
        parts.append(event_rows(ArrayEvent.RESULT, drains + travel, number, np.arange(len(drains))))
        times.append(FoldTimes(drain_start, drained, drained + travel, start, issued, issued + travel))
    return Expansion(make_log(parts), tuple(times))


def _room(policy: WeightLoading, times: list[FoldTimes]) -> int:
    """The cycle from which the next fold may accumulate."""
    if not times:
        return 0
    match policy:
        case WeightLoading.SERIAL:
            return times[-1].other_ready_cycles
        case WeightLoading.SINGLE:
            return times[-1].other_issued_cycles
        case WeightLoading.DOUBLE:
            return times[-1].other_start_cycles
