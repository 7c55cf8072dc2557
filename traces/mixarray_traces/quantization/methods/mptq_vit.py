"""Inspired by MPTQ-ViT (arXiv 2401.14895): SQ-b and OPT-m at fixed bits, without training. No code is public.

Known (methods reference 5a): SQ-b shifts and smooths channels, so that symmetric quantization clamps less; values
behind a GELU get a scaling factor per region, whose ratio is searched. Guesses, all of them: the formulas
(`smoothing.py`, `two_region.py`, `region_search.py`); that SQ-b stands where RepQ-ViT folds (qkv, fc1, merging
reduction, behind a LayerNorm); that every other activation is symmetric per tensor, weights symmetric per output
channel, and softmax outputs uniform from 0; the range rule of all of these (`QuantizationOptions`' own). Its greedy
choice of bits per layer is an Allocation's business, not this method's.

Two branches: the weights have one copy, so both share SQ-b's factors and shifts, which are free of bits. Steps and
OPT-m's shift m are a branch's own, searched at its bits: a trace states both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from mixarray_traces.quantization.allocation import in_block
from mixarray_traces.quantization.arithmetic import Calibration
from mixarray_traces.quantization.folding import Fold
from mixarray_traces.quantization.method import Material, Outcome
from mixarray_traces.quantization.mptq_options import MptqOptions, RegionSearch, SoftmaxQuantizer
from mixarray_traces.quantization.options import QuantizationOptions, RangeRule
from mixarray_traces.quantization.quantizers import ActivationQuantizer, WeightQuantizer
from mixarray_traces.quantization.ranges import RANGE_RULES, Sampling, Statistics, spread, weight_params
from mixarray_traces.quantization.region_search import (
    largest_shift,
    linear_error,
    product_error,
    search_two_region,
    value_error,
)
from mixarray_traces.quantization.smoothing import smoothing_fold
from mixarray_traces.quantization.symmetric import symmetric_params

AFTER_NORM = (".attn.qkv.input", ".mlp.fc1.input", ".downsample.reduction.input")
"""Tensors that a LayerNorm leaves: SQ-b's sites."""
AFTER_GELU, AFTER_SOFTMAX = ".mlp.fc2.input", ".attn.av.left"
SAMPLING = Sampling(
    values_per_call=8192, rows_per_call=2048, row_tensors=(*AFTER_NORM, AFTER_GELU), products=(".attn.av",)
)
"""Of each batch of calibration images; of attention, 8 windows and heads."""
_SAMPLE = 1 << 16
_SEARCH_ROWS = 256
"""Rows that OPT-m multiplies with the layer's weights for every candidate."""


def calibrate(material: Material, options: QuantizationOptions) -> Outcome:
    """Choose every quantizer of the model, and what is folded. InputError where sums cannot fit an accumulator."""
    chosen = options.mptq or MptqOptions()
    folding = {
        linear: smoothing_fold(rows_of(material.statistics[name]), material.weights[linear].matrix, chosen)
        for name, linear in ((name, name.removesuffix(".input")) for name in material.statistics)
        if name.endswith(AFTER_NORM)
    }
    matrices = {name: _folded(one.matrix, folding.get(name)) for name, one in material.weights.items()}
    weights = {
        name: weight_params(matrix, material.weight_bits[name], options.weight_range)
        for name, matrix in matrices.items()
    }
    activations: dict[tuple[str, int], ActivationQuantizer] = {}
    for name, seen in material.statistics.items():
        choose = _chooser(name, seen, material, weights, folding.get(name.removesuffix(".input")), chosen)
        for branch, bits in material.activation_bits[name].items():
            rule = options.low_range if in_block(name) and branch == options.low_bits else options.high_range
            activations[name, branch] = choose(bits, branch, rule)
    return Outcome(Calibration(activations, weights), folding)


Chooser = Callable[[int, int, RangeRule], ActivationQuantizer]
"""From bits, branch and range rule to a quantizer."""


def _chooser(
    name: str,
    seen: Statistics,
    material: Material,
    weights: Mapping[str, WeightQuantizer],
    fold: Fold | None,
    options: MptqOptions,
) -> Chooser:
    """How the quantizers of a tensor are chosen: by where it stands."""
    if name.endswith(AFTER_GELU):
        linear = name.removesuffix(".input")
        return _gelu(name, seen, material.weights[linear].matrix, weights[linear], options.region_search)
    if name.endswith(AFTER_SOFTMAX):
        if options.softmax is SoftmaxQuantizer.UNIFORM:
            return lambda bits, branch, rule: RANGE_RULES[rule](seen, bits)
        value_bits = material.activation_bits[f"{name.removesuffix('left')}right"]
        return _softmax(name, seen, value_bits, options.region_search)
    values = seen.sample if fold is None else spread(fold.values(rows_of(seen)).flatten(), _SAMPLE)
    top = max(abs(seen.low), abs(seen.high)) if fold is None else float(values.abs().max())
    return lambda bits, branch, rule: symmetric_params(values, top, bits, rule)


def _gelu(name: str, seen: Statistics, matrix: Tensor, weight: WeightQuantizer, search: RegionSearch) -> Chooser:
    by_output = search is RegionSearch.OUTPUT
    inputs = spread(rows_of(seen), _SEARCH_ROWS)
    error = linear_error(inputs, matrix, weight) if by_output else value_error(seen.sample)

    def choose(bits: int, branch: int, rule: RangeRule) -> ActivationQuantizer:
        most = largest_shift(name, bits, weight.bits, matrix.shape[1])
        return search_two_region(error, seen.high, bits, True, most)

    return choose


def _softmax(name: str, seen: Statistics, value_bits: Mapping[int, int], search: RegionSearch) -> Chooser:
    by_output = search is RegionSearch.OUTPUT
    error = product_error(seen.products) if by_output else value_error(seen.sample)
    depth = max(left.shape[-1] for left, _ in seen.products)

    def choose(bits: int, branch: int, rule: RangeRule) -> ActivationQuantizer:
        return search_two_region(error, seen.high, bits, False, largest_shift(name, bits, value_bits[branch], depth))

    return choose


def rows_of(seen: Statistics) -> Tensor:
    """The whole rows that `SAMPLING` asks for."""
    if seen.rows is None:
        raise ValueError("calibration kept no rows")
    return seen.rows


def _folded(matrix: Tensor, fold: Fold | None) -> Tensor:
    return matrix if fold is None else matrix.double() * fold.factors
