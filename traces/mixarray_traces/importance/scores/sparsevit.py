"""SparseViT's score, which MixA-Q takes over: mean of |x| over channels, then L2 over the window's tokens.

Source: the public code of SparseViT (Chen et al., CVPR 2023). The shifted grid rolls the same token map.
"""

from __future__ import annotations

from torch import Tensor

from mixarray_traces.importance.context import ScoreContext, l2_over_windows
from mixarray_traces.importance.token_map import TokenMap

TOKEN_MAP = TokenMap.TOKENS


def score_windows(context: ScoreContext) -> Tensor:
    """(images, windows)."""
    return l2_over_windows(context.tokens.abs().mean(dim=-1), context.grid)
