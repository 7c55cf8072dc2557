"""The L2 norm of what the normalisation before the stage saw: norms it has not yet equalised."""

from __future__ import annotations

from torch import Tensor

from mixarray_traces.importance.context import ScoreContext, l2_over_windows
from mixarray_traces.importance.token_map import TokenMap

TOKEN_MAP = TokenMap.PREMERGE


def score_windows(context: ScoreContext) -> Tensor:
    """(images, windows)."""
    return l2_over_windows(context.premerge.norm(dim=-1), context.grid)
