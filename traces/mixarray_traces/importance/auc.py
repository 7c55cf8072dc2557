"""How well a score finds object windows: area under the ROC curve, image by image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixarray.trace.model import Grid
from mixarray_traces.allocator import keep_freed_memory
from mixarray_traces.data.canvas import open_source
from mixarray_traces.data.items import Split
from mixarray_traces.importance.context import ImageFacts, ScoreContext, object_tokens, sums_over_windows
from mixarray_traces.importance.registry import load_score, score_names
from mixarray_traces.model.detector import images_to_input
from mixarray_traces.model.kinds import Model
from mixarray_traces.quantization.arithmetic import FloatArithmetic
from mixarray_traces.quantization.network import Plan, named_weights
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.quantization.running import run_network


@dataclass(frozen=True, slots=True)
class AucRow:
    """AUC of one score at one stage and grid: mean over the n images that have windows with and without objects.

    0.5 is chance; below, the score points away from objects. NaN where no image qualifies.
    """

    score: str
    stage: int
    grid: Grid
    auc: float
    n: int


def auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Probability that a positive scores above a negative, ties counting half (Mann-Whitney); NaN without either."""
    positives, negatives = scores[positive], scores[~positive]
    if not len(positives) or not len(negatives):
        return float("nan")
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, side="left")
    up_to = np.searchsorted(ordered, positives, side="right")
    return float((below + up_to).sum() / 2 / len(positives) / len(negatives))


@torch.no_grad()
def auc_table(
    detector: Model,
    n: int = 50,
    size: int = 448,
    split: Split = Split.VALIDATION,
    seed: int = 1,
    scores: Sequence[str] | None = None,
) -> list[AucRow]:
    """AUC of every score (or those named) per stage and grid on n canvases, on the float model.

    A window is an object window if one of its tokens overlaps a box. Ranking is per image, hence the AUC per image.
    """
    keep_freed_memory()
    names = tuple(scores) if scores is not None else score_names()
    source = open_source(split)
    found: dict[tuple[str, int, Grid], list[float]] = {}
    for index in range(n):
        canvas = source.draw(seed, index, size)
        facts = (ImageFacts(index, torch.from_numpy(canvas.boxes).double()),)
        for context in stage_entries(detector, images_to_input(canvas.image[None]), facts):
            grid = Grid.SHIFTED if context.grid.shift else Grid.REGULAR
            objects = (sums_over_windows(object_tokens(context), context.grid) > 0).numpy()[0]
            for name in names:
                values = load_score(name)(context).double().numpy()[0]
                found.setdefault((name, context.stage, grid), []).append(auc(values, objects))
    return [_row(key, np.array(values)) for key, values in sorted(found.items())]


def stage_entries(detector: Model, images: Tensor, facts: tuple[ImageFacts, ...]) -> list[ScoreContext]:
    """What scores see at every stage and grid of the float model."""
    entries: list[ScoreContext] = []

    def note(context: ScoreContext) -> Tensor:
        entries.append(context)
        return context.tokens.new_zeros(len(context.images), context.grid.count)

    bits = QuantizationOptions()
    ratios = Ratios.uniform(0, detector.backbone.config.depths)
    plan = Plan(ratios, note, facts, bits.high_bits, bits.low_bits, bits.other_bits)
    run_network(detector, images, plan, FloatArithmetic(named_weights(detector)))
    return entries


def _row(key: tuple[str, int, Grid], values: NDArray[np.float64]) -> AucRow:
    known = values[~np.isnan(values)]
    return AucRow(*key, float(known.mean()) if len(known) else float("nan"), len(known))
