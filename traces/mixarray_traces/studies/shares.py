"""Nominal shares of low and pruned windows beside those that whole windows allow. No torch.

Every block rounds to whole windows: at 224 px the last stage of Swin-T has one window, low at any ratio above 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mixarray.trace.model import Grid
from mixarray_traces.quantization.ratios import AnyRatios, ratios_at
from mixarray_traces.record.ranking import grid_of
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import block_grids


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One block of an image of height x width px at one setting: nominal ratios in thousandths, windows by branch.

    low_actual, pruned_actual: shares of the block's windows, 0 to 1.
    """

    height: int
    width: int
    stage: int
    block: int
    grid: Grid
    compression: int
    pruning: int
    windows: int
    high: int
    low: int
    pruned: int
    low_actual: float
    pruned_actual: float


def share_rows(shape: SwinShape, height: int, width: int, ratios: Sequence[AnyRatios]) -> list[ShareRow]:
    """One row per setting and block of an image of height x width px; InputError for what the shape does not allow."""
    grids = block_grids(shape, height, width)
    rows = []
    for setting in (ratios_at(asked, shape.depths) for asked in ratios):
        for (stage, block), grid in grids.items():
            nominal = setting.compression[stage][block // 2], setting.pruning[stage][block // 2]
            n = grid.windows
            high, low, pruned = setting.sizes(stage, block, n)
            counted, shares = (n, high, low, pruned), (low / n, pruned / n)
            rows.append(ShareRow(height, width, stage, block, grid_of(grid), *nominal, *counted, *shares))
    return rows


def total_shares(rows: Iterable[ShareRow]) -> tuple[float, float]:
    """Shares of low and of pruned windows over all rows, 0 to 1."""
    every = list(rows)
    windows = sum(row.windows for row in every)
    return sum(row.low for row in every) / windows, sum(row.pruned for row in every) / windows
