"""The L2 norm of what differs from the image: the mean token of the image is subtracted first.

A LayerNorm just before a stage makes all tokens equally long; how far a token lies from the image's mean survives it.
"""

from __future__ import annotations

from torch import Tensor

from mixarray_traces.importance.context import ScoreContext, l2_over_windows
from mixarray_traces.importance.token_map import TokenMap

TOKEN_MAP = TokenMap.CENTERED


def score_windows(context: ScoreContext) -> Tensor:
    """(images, windows)."""
    centered = context.tokens - context.tokens.mean(dim=(1, 2), keepdim=True)
    return l2_over_windows(centered.norm(dim=-1), context.grid)
