"""Inspired by AIQViT (AAAI 2025, arXiv 2502.04628): low-rank compensation and a learned interval for softmax outputs.

Known (methods reference 6a; no code is public): every linear operator gets learnable low-rank weights B A beside its
frozen W, their rank per layer found by differentiable search (AILoC: `low_rank.py`, `rank_search.py`); softmax outputs
are uniform inside a learned interval (DFQ: `interval.py`); training reconstructs block after block
(`reconstruction.py`), easy images first (`curriculum.py`); weights per channel, activations per tensor. Each formula
behind these words is a guess, and every guess an entry of `AiqvitOptions`.

Guesses here: all else is quantized as RepQ-ViT does (a scale reparameterisation is among AIQViT's terms), or uniformly.
Ours: all of it for two branches. W, A and B are shared by them; activations, intervals included, have quantizers of
their own. Patch embedding, merging and head are 8-bit groups without compensation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.quantization.aiqvit_options import AiqvitOptions, BaseQuantizers, SoftmaxCodes
from mixarray_traces.quantization.allocation import in_block
from mixarray_traces.quantization.arithmetic import Calibration, Weight
from mixarray_traces.quantization.block_walk import reconstruct_blocks
from mixarray_traces.quantization.interval import first_interval
from mixarray_traces.quantization.method import Material, Outcome
from mixarray_traces.quantization.methods import repq_vit, uniform_affine
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.percentile_search import search_weight
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.quantizers import ActivationQuantizer, WeightQuantizer
from mixarray_traces.quantization.ranges import weight_params

SAMPLING = repq_vit.SAMPLING
"""That of the default base."""


def calibrate(material: Material, options: QuantizationOptions) -> Outcome:
    """Choose every quantizer as the base does, and where the intervals of softmax outputs begin."""
    chosen = options.aiqvit or AiqvitOptions()
    check(material.weights, chosen, options.calibration_canvases)
    reparameterised = chosen.base is BaseQuantizers.REPARAMETERISED
    base = repq_vit.calibrate(material, options) if reparameterised else uniform_affine.calibrate(material, options)
    if chosen.softmax is SoftmaxCodes.BASE:
        return base
    activations: dict[tuple[str, int], ActivationQuantizer] = dict(base.calibration.activations)
    for name, branch in activations:
        if name.endswith(".av.left"):
            bits = material.activation_bits[name][branch]
            activations[name, branch] = first_interval(material.statistics[name], bits, chosen.interval_start)
    return Outcome(Calibration(activations, base.calibration.weights), base.folding)


def refine(
    model: QuantizedDetector, batches: Sequence[Tensor], progress: Callable[[int, int], None] | None
) -> QuantizedDetector:
    """Train low-rank weights and intervals, block by block, on the calibration images."""
    options, chosen = model.options, model.options.aiqvit or AiqvitOptions()

    def choose(name: str, matrix: Tensor) -> WeightQuantizer:
        bits = options.layer_bits.weight(name)
        if chosen.base is BaseQuantizers.REPARAMETERISED:
            return search_weight(matrix, bits)
        return weight_params(matrix, bits, options.weight_range)

    images = [batch[index : index + 1] for batch in batches for index in range(len(batch))]
    return reconstruct_blocks(model, chosen, images, choose, progress)


def check(weights: Mapping[str, Weight], chosen: AiqvitOptions, images: int) -> None:
    """Raise InputError for a rank above a layer's width, and for a search without two halves of images."""
    largest = chosen.ranks[-1] if chosen.rank is None else chosen.rank
    for name, one in weights.items():
        if in_block(name) and largest > min(one.matrix.shape):
            field = "aiqvit.ranks" if chosen.rank is None else "aiqvit.rank"
            message = f"{largest} is above the {min(one.matrix.shape)} of {name}, {tuple(one.matrix.shape)}"
            raise InputError("quantization", message, field)
    if chosen.rank is None and images < 2:
        message = "1 image; the search for ranks needs 2: matrices learn on one half, ranks on the other"
        raise InputError("quantization", message, "calibration_canvases")
