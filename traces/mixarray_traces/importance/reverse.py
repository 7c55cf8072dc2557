"""A score turned round: the most important windows become the least important ones."""

from __future__ import annotations

from torch import Tensor

from mixarray_traces.importance.context import Score, ScoreContext


def reverse(score: Score) -> Score:
    """The score whose ranking is the exact reverse of this one's, unless windows score equally.

    Of equal scores the lower number leads in both rankings.
    """

    def negated(context: ScoreContext) -> Tensor:
        return -score(context)

    return negated
