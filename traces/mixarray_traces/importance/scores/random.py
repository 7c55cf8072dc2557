"""A random order of the windows, by image, stage and grid: what a score must beat."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mixarray_traces.importance.context import ScoreContext

NAME = "random"


def score_windows(context: ScoreContext) -> Tensor:
    """(images, windows), uniform in 0 to 1, from each image's seed alone."""
    shifted = int(context.grid.shift > 0)
    draws = [
        np.random.default_rng((facts.seed, context.stage, shifted)).random(context.grid.count)
        for facts in context.images
    ]
    return torch.from_numpy(np.stack(draws))
