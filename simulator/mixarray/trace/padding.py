"""Which parts of a block see the positions that pad a map to whole windows."""

from __future__ import annotations

from enum import StrEnum

WHOLE_BLOCK_NOTE = "whole blocks run on padded positions: another function than the plain model's"


class Padding(StrEnum):
    """How far padded positions go through a block.

    ATTENTION: the detection rule of Swin. They are zero after the first LayerNorm, take part in attention, and are cut
    off after it. BLOCK: SparseViT's public code. They are zero before the first LayerNorm and run through the whole
    block; attention then reads the norm's bias there, so the function of the network changes wherever a map is padded.
    """

    ATTENTION = "attention"
    BLOCK = "block"
