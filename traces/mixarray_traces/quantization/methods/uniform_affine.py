"""Uniform affine quantization: per-tensor asymmetric activations, per-channel symmetric weights (Jacob et al. 2018).

Each branch gets a step and a zero point of its own for every activation tensor, both from the same statistics.
"""

from __future__ import annotations

from mixarray_traces.quantization.arithmetic import Calibration
from mixarray_traces.quantization.method import Material, Outcome
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.ranges import RANGE_RULES, weight_params


def calibrate(material: Material, options: QuantizationOptions) -> Outcome:
    """Choose every quantizer of the model."""
    activations = {}
    for name, seen in material.statistics.items():
        if ".blocks." in name:
            activations[name, options.high_bits] = RANGE_RULES[options.high_range](seen, options.high_bits)
            activations[name, options.low_bits] = RANGE_RULES[options.low_range](seen, options.low_bits)
        else:
            activations[name, options.other_bits] = RANGE_RULES[options.high_range](seen, options.other_bits)
    weights = {
        name: weight_params(weight.matrix, material.weight_bits[name], options.weight_range)
        for name, weight in material.weights.items()
    }
    return Outcome(Calibration(activations, weights))
