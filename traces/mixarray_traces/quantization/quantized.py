"""A quantized detector: float weights, quantizers, and a forward pass at any ratio in any arithmetic."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from mixarray.trace.padding import Padding
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.importance.registry import load_score
from mixarray_traces.model.kinds import Model
from mixarray_traces.quantization.aiqvit_options import Compensation
from mixarray_traces.quantization.allocation import LayerBits
from mixarray_traces.quantization.arithmetic import (
    Arithmetic,
    ArithmeticKind,
    Calibration,
    FakeArithmetic,
    FloatArithmetic,
    Weight,
)
from mixarray_traces.quantization.folding import NO_FOLDING, Folding, fold_model
from mixarray_traces.quantization.integer import IntegerArithmetic
from mixarray_traces.quantization.low_norms import NO_LOW_NORMS, LowNorms, attach_low_norms
from mixarray_traces.quantization.low_rank import (
    NO_LOW_RANK,
    LowRanks,
    merged,
    side_allocation,
    with_side_path,
    with_sides,
)
from mixarray_traces.quantization.network import NetworkRun, Plan, Watcher, named_weights
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.provenance import Training
from mixarray_traces.quantization.ratios import AnyRatios, ratios_at
from mixarray_traces.quantization.running import run_network, run_plans


@dataclass(frozen=True)
class QuantizedDetector:
    """A model of any kind with its quantizers. `source` says where the weights came from: trained, user or random.

    `detector` is the model as it was trained; `network` is what runs: the same function with `folding` applied, and
    with the low branch's own LayerNorms where training gave it some. `low_rank` compensates quantized weights, merged
    into them or on a side path. `training` says what training led to it.
    """

    detector: Model
    options: QuantizationOptions
    calibration: Calibration
    source: str = "user"
    folding: Folding = field(default_factory=lambda: NO_FOLDING)
    low_norms: LowNorms = field(default_factory=lambda: NO_LOW_NORMS)
    training: Training = ()
    low_rank: LowRanks = field(default_factory=lambda: NO_LOW_RANK)
    _arithmetics: dict[ArithmeticKind, Arithmetic] = field(default_factory=dict, repr=False, compare=False)

    @property
    def depths(self) -> tuple[int, ...]:
        """Blocks per stage."""
        return self.detector.backbone.config.depths

    @cached_property
    def network(self) -> Model:
        """The float model whose operators the quantizers belong to."""
        return attach_low_norms(fold_model(self.detector, self.folding), self.low_norms)

    @property
    def sides(self) -> LowRanks:
        """The low-rank weights that run as operators of their own; empty where they are merged."""
        chosen = self.options.aiqvit
        return self.low_rank if chosen is not None and chosen.compensation is Compensation.SIDE_PATH else NO_LOW_RANK

    def weights(self) -> dict[str, Weight]:
        """What the quantizers of weights belong to, by linear operator: those of `network`, compensated."""
        return self.compensated(named_weights(self.network))

    def compensated(self, weights: Mapping[str, Weight]) -> dict[str, Weight]:
        """Float weights with the low-rank ones: merged into them, or beside them as operators of their own."""
        return with_sides(weights, self.sides) if self.sides else merged(weights, self.low_rank)

    @property
    def layer_bits(self) -> LayerBits:
        """The bits of every weight and activation, those of side paths included."""
        layers = self.options.layer_bits
        return replace(layers, allocation=side_allocation(layers.allocation, self.sides)) if self.sides else layers

    def arithmetic(self, kind: ArithmeticKind = ArithmeticKind.FAKE) -> Arithmetic:
        """The arithmetic of this kind over this model's weights; FLOAT is the plain model, nothing compensated."""
        products = self.products(kind)
        return products if kind is ArithmeticKind.FLOAT else with_side_path(products, self.sides)

    def products(self, kind: ArithmeticKind = ArithmeticKind.FAKE) -> Arithmetic:
        """As `arithmetic`, each operator alone: those of side paths are to be asked for (`low_rank.with_side_path`)."""
        if kind not in self._arithmetics:
            self._arithmetics[kind] = self._build(kind)
        return self._arithmetics[kind]

    def _build(self, kind: ArithmeticKind) -> Arithmetic:
        if kind is ArithmeticKind.FLOAT:
            return FloatArithmetic(named_weights(self.network))
        if kind is ArithmeticKind.FAKE:
            return FakeArithmetic(self.weights(), self.calibration)
        return IntegerArithmetic(self.weights(), self.calibration)

    def plan(
        self,
        ratios: AnyRatios,
        images: tuple[ImageFacts, ...],
        score: str = DEFAULT_SCORE,
        padding: Padding = Padding.ATTENTION,
    ) -> Plan:
        """How to run images; a ratio in thousandths stands for every block pair. Raises InputError."""
        chosen, bits = ratios_at(ratios, self.depths), self.options
        return Plan(chosen, load_score(score), images, bits.high_bits, bits.low_bits, bits.other_bits, padding)

    @torch.no_grad()
    def run(
        self, images: Tensor, plan: Plan, arithmetic: Arithmetic | None = None, watch: Watcher | None = None
    ) -> NetworkRun:
        """Run normalised images (images, 3, height, width), by default with fake quantization; `watch` sees blocks."""
        return run_network(self.network, images, plan, arithmetic or self.arithmetic(), watch)

    @torch.no_grad()
    def run_plans(
        self, images: Tensor, plans: Sequence[Plan], arithmetic: Arithmetic | None = None
    ) -> Iterator[tuple[int, NetworkRun]]:
        """Run normalised images under several plans, in any order: (number of the plan, its run); see `network`."""
        yield from run_plans(self.network, images, plans, arithmetic or self.arithmetic())

    def double(self) -> QuantizedDetector:
        """The same model in float64."""
        return replace(self, detector=copy.deepcopy(self.detector).double(), _arithmetics={})
