"""Quantizers of single layers at given widths, each calibrated once and kept, so that a loss is one forward pass.

A quantizer of a layer may depend on both of its widths: RepQ-ViT folds what it finds at the input's width into the
weight, MPTQ-ViT searches the regions behind a GELU against the quantized weight. So the unit is a layer at a pair of
widths. It depends on no other layer: statistics come from the float model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mixarray_analysis.allocating.decisions import Layer, allocation_of
from mixarray_analysis.allocating.moves import Bits
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.importance.registry import load_score
from mixarray_traces.model.kinds import Model
from mixarray_traces.quantization.allocation import LayerBits
from mixarray_traces.quantization.arithmetic import Arithmetic, Calibration, FakeArithmetic, ObservingArithmetic
from mixarray_traces.quantization.folding import fold_model
from mixarray_traces.quantization.method import Material, Outcome, load_method, load_sampling
from mixarray_traces.quantization.network import Plan, named_weights
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ranges import Statistics
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.quantization.running import run_network

CALIBRATION_BATCH = 4
"""As `quantize` has it: how much is kept of a tensor is said per batch."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """One layer at a pair of widths: what the method chose, and its GEMM by fake quantization."""

    outcome: Outcome
    arithmetic: Arithmetic


@dataclass(frozen=True, slots=True)
class ByLayer:
    """Every GEMM in the arithmetic of its own layer."""

    layers: Mapping[str, Arithmetic]

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.linear`."""
        return self.layers[name].linear(name, inputs, branch)

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        return self.layers[name].matmul(name, left, right, branch)


class Bank:
    """The quantized layers of one float model under one method, calibrated on given images."""

    def __init__(self, model: Model, options: QuantizationOptions, layers: Sequence[Layer], images: Tensor) -> None:
        self._model, self._options, self._layers = model, options, tuple(layers)
        self._method = load_method(options.method)
        self._weights = named_weights(model)
        self._statistics = _observed(model, options, images)
        self._known: dict[tuple[str, int, int], Quantized] = {}

    def model(self, bits: Bits) -> QuantizedDetector:
        """The model at these widths: what `quantize` gives for the allocation, calibrated on the same images."""
        parts = [one.outcome for one in self._parts(bits).values()]
        activations = {key: value for part in parts for key, value in part.calibration.activations.items()}
        weights = {name: value for part in parts for name, value in part.calibration.weights.items()}
        folding = {name: fold for part in parts for name, fold in part.folding.items()}
        named = replace(self._options, allocation=allocation_of(self._layers, bits))
        options = replace(named, allocation=named.layer_bits.needed())
        return QuantizedDetector(self._model, options, Calibration(activations, weights), folding=folding)

    def arithmetic(self, bits: Bits) -> Arithmetic:
        """Fake quantization at these widths, for the `network` of `model`; nothing known is prepared again."""
        return ByLayer({name: one.arithmetic for name, one in self._parts(bits).items()})

    def _parts(self, bits: Bits) -> dict[str, Quantized]:
        pairs = zip(bits[::2], bits[1::2], strict=True)
        inside = {one.name: self._layer(one, pair) for one, pair in zip(self._layers, pairs, strict=True)}
        return inside | dict(self._outside())

    def _layer(self, layer: Layer, widths: tuple[int, int]) -> Quantized:
        bits = dict(zip(layer.operands, widths, strict=True))
        high, low = self._options.high_bits, self._options.low_bits
        activations = {name: {high: bits[name], low: min(bits[name], low)} for name in layer.activations}
        return self._quantized(layer.name, widths, activations)

    def _outside(self) -> Iterator[tuple[str, Quantized]]:
        """Every operator outside the blocks, at the bits of the options."""
        options = self._options
        own = LayerBits(options.weight_bits, (options.high_bits, options.low_bits), options.other_bits)
        for name in self._weights:
            if ".blocks." not in name:
                tensor, bits = f"{name}.input", own.weight(name)
                yield name, self._quantized(name, (bits, bits), {tensor: own.activation(tensor)})

    def _quantized(self, name: str, widths: tuple[int, int], activations: Mapping[str, Mapping[int, int]]) -> Quantized:
        key = (name, *widths)
        if key not in self._known:
            self._known[key] = self._calibrated(name, widths[1], activations)
        return self._known[key]

    def _calibrated(self, name: str, weight_bits: int, activations: Mapping[str, Mapping[int, int]]) -> Quantized:
        statistics = {tensor: self._statistics[tensor] for tensor in activations}
        weights = {name: self._weights[name]} if name in self._weights else {}
        material = Material(statistics, weights, dict.fromkeys(weights, weight_bits), activations)
        outcome = self._method(material, self._options)
        folded = named_weights(fold_model(self._model, outcome.folding)) if outcome.folding else self._weights
        return Quantized(outcome, FakeArithmetic({one: folded[one] for one in weights}, outcome.calibration))


@torch.no_grad()
def _observed(model: Model, options: QuantizationOptions, images: Tensor) -> dict[str, Statistics]:
    """What the float model shows of every activation, as `quantize` watches it."""
    observer = ObservingArithmetic(named_weights(model), load_sampling(options.method))
    for part in in_batches(images, CALIBRATION_BATCH):
        bits = options.high_bits, options.low_bits, options.other_bits
        facts = (ImageFacts(),) * len(part)
        ratios = Ratios.uniform(0, model.backbone.config.depths)
        run_network(model, part, Plan(ratios, load_score(DEFAULT_SCORE), facts, *bits), observer)
    return observer.statistics()


def in_batches(images: Tensor, size: int) -> list[Tensor]:
    """The images in order, `size` at a time."""
    return [images[start : start + size] for start in range(0, len(images), size)]
