"""LayerNorms of a Swin block that the low branch has for itself."""

from __future__ import annotations

import copy

from torch import nn


class BranchNorms(nn.Module):
    """Copies of a block's LayerNorms, trained apart from them (MixA-Q: "LayerNorm is copied")."""

    def __init__(self, norm1: nn.LayerNorm, norm2: nn.LayerNorm) -> None:
        super().__init__()
        self.norm1 = copy.deepcopy(norm1)
        self.norm2 = copy.deepcopy(norm2)
