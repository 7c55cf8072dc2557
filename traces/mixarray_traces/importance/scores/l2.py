"""The L2 norm over all channels and tokens of a window: the literal text of SparseViT's paper."""

from __future__ import annotations

from torch import Tensor

from mixarray_traces.importance.context import ScoreContext, l2_over_windows
from mixarray_traces.importance.token_map import TokenMap

TOKEN_MAP = TokenMap.TOKENS


def score_windows(context: ScoreContext) -> Tensor:
    """(images, windows)."""
    return l2_over_windows(context.tokens.norm(dim=-1), context.grid)
