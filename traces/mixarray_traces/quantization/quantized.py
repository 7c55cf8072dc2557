"""A quantized detector: float weights, quantizers, and a forward pass at any ratio in any arithmetic."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.importance.registry import load_score
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.arithmetic import (
    Arithmetic,
    ArithmeticKind,
    Calibration,
    FakeArithmetic,
    FloatArithmetic,
)
from mixarray_traces.quantization.integer import IntegerArithmetic
from mixarray_traces.quantization.network import NetworkRun, Plan, named_weights, run_network
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.ratios import Ratios


@dataclass(frozen=True)
class QuantizedDetector:
    """A detector with its quantizers. `source` says where the weights came from: trained, user or random."""

    detector: Detector
    options: QuantizationOptions
    calibration: Calibration
    source: str = "user"
    _arithmetics: dict[ArithmeticKind, Arithmetic] = field(default_factory=dict, repr=False, compare=False)

    @property
    def depths(self) -> tuple[int, ...]:
        """Blocks per stage."""
        return self.detector.backbone.config.depths

    def arithmetic(self, kind: ArithmeticKind = ArithmeticKind.FAKE) -> Arithmetic:
        """The arithmetic of this kind over this model's weights."""
        if kind not in self._arithmetics:
            self._arithmetics[kind] = self._build(kind)
        return self._arithmetics[kind]

    def _build(self, kind: ArithmeticKind) -> Arithmetic:
        weights = named_weights(self.detector)
        if kind is ArithmeticKind.FLOAT:
            return FloatArithmetic(weights)
        if kind is ArithmeticKind.FAKE:
            return FakeArithmetic(weights, self.calibration)
        return IntegerArithmetic(weights, self.calibration)

    def plan(self, ratios: Ratios | int, images: tuple[ImageFacts, ...], score: str = DEFAULT_SCORE) -> Plan:
        """How to run images; a ratio in thousandths stands for every block pair. Raises InputError."""
        chosen = Ratios.uniform(ratios, self.depths) if isinstance(ratios, int) else ratios
        chosen.check_depths(self.depths)
        bits = self.options
        return Plan(chosen, load_score(score), images, bits.high_bits, bits.low_bits, bits.other_bits)

    @torch.no_grad()
    def run(self, images: Tensor, plan: Plan, arithmetic: Arithmetic | None = None) -> NetworkRun:
        """Run normalised images (images, 3, height, width), by default with fake quantization."""
        return run_network(self.detector, images, plan, arithmetic or self.arithmetic())

    def double(self) -> QuantizedDetector:
        """The same model in float64."""
        detector = copy.deepcopy(self.detector).double()
        return QuantizedDetector(detector, self.options, self.calibration, self.source)
