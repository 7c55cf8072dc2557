"""Boxes known beforehand: windows that hold object tokens are important, the more tokens the more."""

from __future__ import annotations

from torch import Tensor

from mixarray_traces.importance.context import ScoreContext, object_tokens, sums_over_windows
from mixarray_traces.importance.token_map import TokenMap

TOKEN_MAP = TokenMap.NONE


def score_windows(context: ScoreContext) -> Tensor:
    """(images, windows): tokens that overlap a box. Raises ValueError where boxes are unknown."""
    return sums_over_windows(object_tokens(context), context.grid)
