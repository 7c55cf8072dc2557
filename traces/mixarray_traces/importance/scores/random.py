"""A random order of the windows, by image, stage and grid: what a score must beat."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mixarray_traces.importance.context import ScoreContext
from mixarray_traces.importance.order import random_scores
from mixarray_traces.importance.token_map import TokenMap

TOKEN_MAP = TokenMap.NONE


def score_windows(context: ScoreContext) -> Tensor:
    """(images, windows), uniform in 0 to 1, from each image's seed alone."""
    grid = context.grid
    draws = [random_scores(facts.seed, context.stage, grid.shift > 0, grid.count) for facts in context.images]
    return torch.from_numpy(np.stack(draws))
