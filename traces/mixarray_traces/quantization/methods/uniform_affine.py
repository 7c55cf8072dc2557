"""Uniform affine quantization: per-tensor asymmetric activations, per-channel symmetric weights (Jacob et al. 2018).

Each branch gets a step and a zero point of its own for every activation tensor, both from the same statistics.
"""

from __future__ import annotations

from mixarray_traces.quantization.allocation import in_block
from mixarray_traces.quantization.arithmetic import Calibration
from mixarray_traces.quantization.method import Material, Outcome
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.ranges import RANGE_RULES, weight_params


def calibrate(material: Material, options: QuantizationOptions) -> Outcome:
    """Choose every quantizer of the model."""
    activations = {}
    for name, seen in material.statistics.items():
        for branch, bits in material.activation_bits[name].items():
            rule = options.low_range if in_block(name) and branch == options.low_bits else options.high_range
            activations[name, branch] = RANGE_RULES[rule](seen, bits)
    weights = {
        name: weight_params(weight.matrix, material.weight_bits[name], options.weight_range)
        for name, weight in material.weights.items()
    }
    return Outcome(Calibration(activations, weights))
