"""The low branch before it is trained."""

from __future__ import annotations

import math
from dataclasses import replace

from mixarray_traces.quantization.arithmetic import Calibration
from mixarray_traces.quantization.low_norms import NO_LOW_NORMS
from mixarray_traces.quantization.lsq import LsqParams, limits
from mixarray_traces.quantization.options import LowBranch, OfqOptions
from mixarray_traces.quantization.quantized import QuantizedDetector


def with_fresh_low_branch(model: QuantizedDetector) -> QuantizedDetector:
    """The model with a low branch made from its high one.

    MixA-Q builds the two-branch model from the trained uniform one; how its low steps begin is not published. Ours:
    LSQ's first step is proportional to 1 / sqrt(hi), so a learned high step times sqrt(hi_high / hi_low); vectors and
    LayerNorms are copies.
    """
    options, activations = model.options, dict(model.calibration.activations)
    for (name, branch), high in model.calibration.activations.items():
        low = activations.get((name, options.low_bits))
        if branch == options.high_bits and low is not None and isinstance(high, LsqParams):
            activations[name, options.low_bits] = lowered(high, low.bits)
    chosen = replace(options, ofq=replace(options.ofq or OfqOptions(), low_branch=LowBranch.INITIALISED))
    calibration = Calibration(activations, model.calibration.weights)
    return replace(model, options=chosen, calibration=calibration, low_norms=NO_LOW_NORMS, _arithmetics={})


def lowered(high: LsqParams, bits: int) -> LsqParams:
    """A quantizer at fewer bits that begins where `high` stands."""
    ratio = limits(high.bits, high.unsigned)[1] / limits(bits, high.unsigned)[1]
    return replace(high, bits=bits, steps=(high.steps * math.sqrt(ratio)).float().double())
