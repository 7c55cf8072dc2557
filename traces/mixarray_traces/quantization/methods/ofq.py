"""OFQ (Liu et al., ICML 2023, arXiv 2302.02210) before training: StatsQ weights, LSQ activations at their first steps.

`mixarray qat` trains what this begins. Known: StatsQ and LSQ (`statsq.py`, `lsq.py`); the first step comes from the
first batch. Ours: it comes from all calibration images, seen in float, for both branches; patch embedding, merging and
head are 8-bit groups (published: embedding and classifier at 8 bits, merging at those of the blocks).
"""

from __future__ import annotations

import torch

from mixarray_traces.quantization.arithmetic import Calibration
from mixarray_traces.quantization.lsq import LsqParams, first_step, is_unsigned
from mixarray_traces.quantization.method import Material, Outcome
from mixarray_traces.quantization.options import LearnedVectors, OfqOptions, QuantizationOptions
from mixarray_traces.quantization.quantizers import ActivationQuantizer
from mixarray_traces.quantization.query_key import quantized_as
from mixarray_traces.quantization.ranges import Sampling, Statistics
from mixarray_traces.quantization.statsq import statsq_params

SAMPLING = Sampling(values_per_call=1, magnitudes=True)
"""Mean magnitudes alone decide."""


def calibrate(material: Material, options: QuantizationOptions) -> Outcome:
    """Choose every quantizer of the model."""
    chosen = options.ofq or OfqOptions()
    activations: dict[tuple[str, int], ActivationQuantizer] = {}
    for name in material.statistics:
        shared = quantized_as(name, material.weights)
        seen = material.statistics[shared]
        linear = material.weights.get(shared.removesuffix(".input"))
        channels = 0 if linear is None else linear.matrix.shape[1]
        for branch, bits in material.activation_bits[name].items():
            activations[name, branch] = first_quantizer(shared, seen, bits, channels, chosen.vectors)
    weights = {name: statsq_params(one.matrix, material.weight_bits[name]) for name, one in material.weights.items()}
    return Outcome(Calibration(activations, weights))


def first_quantizer(name: str, seen: Statistics, bits: int, channels: int, vectors: LearnedVectors) -> LsqParams:
    """LSQ as it begins; `channels` of a linear operator's input, 0 for operands of other products: no vectors."""
    if seen.magnitude is None:
        raise ValueError(f"{name}: calibration kept no magnitudes")
    unsigned = is_unsigned(name)
    steps = first_step(seen.magnitude, bits, unsigned).double()
    before = torch.zeros(channels, dtype=torch.float64) if channels and vectors is not LearnedVectors.NONE else None
    after = torch.zeros(channels, dtype=torch.float64) if channels and vectors is LearnedVectors.BOTH else None
    return LsqParams(bits, steps, unsigned, before, after)
