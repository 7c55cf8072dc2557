"""The default score turned round: the most important windows run low. The worst case of a method, not a method."""

from __future__ import annotations

from torch import Tensor

from mixarray_traces.importance.context import ScoreContext
from mixarray_traces.importance.default import DEFAULT_SCORE, DEFAULT_TOKEN_MAP
from mixarray_traces.importance.registry import load_score
from mixarray_traces.importance.reverse import reverse

TOKEN_MAP = DEFAULT_TOKEN_MAP


def score_windows(context: ScoreContext) -> Tensor:
    """(images, windows)."""
    return reverse(load_score(DEFAULT_SCORE))(context)
