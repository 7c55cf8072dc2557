"""Windows held against the rest of their bundle: the blocks of the topology and the pairs of the manifest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mixarray.errors import InputError
from mixarray.trace.manifest import Manifest
from mixarray.trace.model import Grid
from mixarray.trace.windows import GRID_CODE, WindowTable

MANIFEST_RATIOS = "pair_ratios_thousandths"


def check_assignment(
    windows: WindowTable, manifest: Manifest, grids: Mapping[tuple[int, int], Grid], where: str
) -> None:
    """Raise InputError unless a window table that passed `check_windows` fits its bundle.

    `grids` are those of the topology's blocks. Windows hold at most window_size**2 tokens and lie on their block's
    grid; every image keeps at least one. How many run low is the table's own business: the manifest's ratios are
    nominal, every report shows the actual share beside them, and BOPs and cycles follow the rows.
    """
    largest = manifest.window_size**2
    if (windows.tokens > largest).any():
        row = int(np.flatnonzero(windows.tokens > largest)[0])
        raise InputError(where, f"row {row} has {windows.tokens[row]}; a window holds at most {largest}", "tokens")
    pairs = {(stage, block // 2) for stage, block in grids}
    listed = {
        (stage, pair) for stage, ratios in enumerate(manifest.pair_ratios_thousandths) for pair in range(len(ratios))
    }
    if pairs != listed:
        stage, pair = min(pairs ^ listed)
        raise InputError(where, f"stage {stage} pair {pair} is not in both topology and manifest", MANIFEST_RATIOS)
    for (image, stage, block), rows in windows.blocks():
        place = f"image {image}, stage {stage}, block {block}"
        if (stage, block) not in grids:
            raise InputError(where, f"{place}: the topology has no such block", "block")
        if windows.grid[rows[0]] != GRID_CODE[grids[stage, block]]:
            raise InputError(where, f"{place}: its operators are on the {grids[stage, block].value} grid", "grid")
    for image in np.unique(windows.image):
        if not windows.bits[windows.image == image].any():
            raise InputError(where, f"image {image}: every window is pruned", "bits")
