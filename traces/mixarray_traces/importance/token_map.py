"""What a score computes from the tokens of a stage before it sums over windows: the work it adds. No torch."""

from __future__ import annotations

from enum import StrEnum


class TokenMap(StrEnum):
    """One number per token, by what it is computed from.

    NONE: nothing, the score does not look at tokens. TOKENS: the channels of the stage's input. CENTERED: the same
    after the image's mean token, itself a pass over all tokens, is subtracted. PREMERGE: what the normalisation before
    the stage saw, four times the channels of the stage before.
    """

    NONE = "none"
    TOKENS = "tokens"
    CENTERED = "centered"
    PREMERGE = "premerge"
