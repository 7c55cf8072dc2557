"""Which law draws the ratios of a training."""

from __future__ import annotations

from mixarray_traces.quantization.provenance import Stage
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.training.qat.sampler import RatiosOfStep, both_of_step, pruning_of_step, ratios_of_step
from mixarray_traces.training.qat.state import low_branch_is_trained


def law_of(stage: Stage, start: QuantizedDetector) -> RatiosOfStep | None:
    """What draws a step's ratios; None: all windows run high. Annealing goes on with that of what it anneals."""
    laws = {Stage.SAQA: ratios_of_step, Stage.SAA: pruning_of_step, Stage.JOINT: both_of_step}
    if stage is not Stage.ANNEALING:
        return laws.get(stage)
    behind = [run.stage for run in start.training if run.stage is not Stage.ANNEALING]
    unknown = ratios_of_step if low_branch_is_trained(start) else None
    return laws.get(behind[-1]) if behind else unknown
