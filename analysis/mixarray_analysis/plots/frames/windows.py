"""The windows of a bundle, placed on its picture, with the bits they ran at."""

from __future__ import annotations

import pandas as pd

from mixarray.errors import InputError
from mixarray.trace.bundle import Bundle

COLUMNS = ["stage", "window", "bits", "low", "x_px", "y_px", "width_px", "height_px"]


def windows_frame(bundle: Bundle, image: int) -> pd.DataFrame:
    """The windows of the regular grid of each stage's first block, placed on the picture (COLUMNS).

    `low` says whether a window ran in the low branch. Raises InputError where the bundle has no such image, or its
    windows do not tile its input.
    """
    if not 0 <= image < len(bundle.images):
        raise InputError("--image", f"{image} is not in the bundle; it has images 0 to {len(bundle.images) - 1}")
    manifest, table = bundle.manifest, bundle.identified_windows
    rows = []
    for stage in sorted(set(table.stage.tolist())):
        mask = (table.image == image) & (table.stage == stage) & (table.grid == 0)
        mask &= table.block == table.block[mask].min()
        side_px = manifest.window_size * _token_px(bundle, int(table.tokens[mask].sum()))
        across = -(-manifest.input_width // side_px)
        for window, bits in sorted(zip(table.window[mask].tolist(), table.bits[mask].tolist(), strict=True)):
            x, y = window % across * side_px, window // across * side_px
            width, height = min(side_px, manifest.input_width - x), min(side_px, manifest.input_height - y)
            low = 0 < bits < manifest.activation_bits_high
            rows.append((stage, window, bits, low, x, y, width, height))
    return pd.DataFrame(rows, columns=COLUMNS)


def _token_px(bundle: Bundle, tokens: int) -> int:
    """Side in pixels of a token of the stage whose map has so many: a power of two, as Swin's patches and merges are.

    Maps round up: a map of 7x8 tokens may be of 200x230 px, and other sides than powers of two would fit as well.
    """
    height, width = bundle.manifest.input_height, bundle.manifest.input_width
    for side in (1 << power for power in range(max(height, width).bit_length() + 1)):
        if -(-height // side) * -(-width // side) == tokens:
            return side
    raise InputError(str(bundle.path), f"{tokens} tokens do not tile {height}x{width} px", "windows.parquet")
