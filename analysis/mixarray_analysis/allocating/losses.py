"""What an allocation loses: the quantized head's output against the float model's, on fixed canvases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import version

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mixarray_analysis.allocating.bank import Bank, in_batches
from mixarray_analysis.allocating.decisions import Layer
from mixarray_analysis.allocating.moves import Bits
from mixarray_analysis.search.store import Key, Store
from mixarray_traces.data import GENERATOR_VERSION, Split
from mixarray_traces.data.canvas import open_source
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.importance.registry import load_score
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.arithmetic import Arithmetic, ArithmeticKind
from mixarray_traces.quantization.identity import weights_sha256
from mixarray_traces.quantization.network import Plan
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import Ratios

SPLIT = Split.TEST
"""The only split that is shipped."""
BATCH = 16
"""Canvases of one forward pass."""


class LossKind(StrEnum):
    """What is compared with the float model.

    MSE: all outputs of the head (class logits and log distances), their mean squared difference. KL: the probabilities
    of the classes in every cell (sigmoids), their divergence from the float model's, summed over classes, mean over
    cells; boxes do not count.
    """

    MSE = "mse"
    KL = "kl"


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """The first n canvases of stream `seed` of the test split, `size` px a side: for quantizers and loss alike."""

    n: int
    size: int
    seed: int

    def images(self, detector: Detector) -> Tensor:
        """The canvases as model input, (n, 3, size, size)."""
        source = open_source(SPLIT)
        drawn = [source.draw(self.seed, index, self.size).image for index in range(self.n)]
        return detector.to_input(np.stack(drawn))


@dataclass(frozen=True, slots=True)
class Judge:
    """How an allocation is judged. ratio: share of low windows in thousandths, in every block pair."""

    canvases: CalibrationSet
    kind: LossKind = LossKind.MSE
    ratio: int = 0


class Losses:
    """Losses of one model's allocations, each a forward pass; what `store` knows is not measured again."""

    def __init__(
        self, detector: Detector, options: QuantizationOptions, layers: Sequence[Layer], judge: Judge, store: Store
    ) -> None:
        self._judge, self._store, self._classes = judge, store, detector.config.num_classes
        images = judge.canvases.images(detector)
        self._images = in_batches(images, BATCH)
        self.bank = Bank(detector, options, layers, images)
        self.measured = 0
        self._about = {
            "model": weights_sha256(detector),
            "options": repr(options),
            "canvases": asdict(judge.canvases) | {"split": SPLIT.name.lower(), "generator": GENERATOR_VERSION},
            "kind": judge.kind.value,
            "ratio": judge.ratio,
            "torch": version("torch"),
        }
        top = self.bank.model((options.high_bits,) * (2 * len(layers)))
        self._wanted = self._outputs(top, top.arithmetic(ArithmeticKind.FLOAT))

    def of(self, bits: Bits) -> float:
        """The loss at these widths."""
        key: Key = self._about | {"bits": "".join(map(str, bits))}
        known = self._store.get(key)
        if known is None:
            known = {"loss": self._measured(bits)}
            self._store.put(key, known)
        return float(known["loss"])

    def _measured(self, bits: Bits) -> float:
        self.measured += 1
        found = self._outputs(self.bank.model(bits), self.bank.arithmetic(bits))
        return difference(self._wanted, found, self._judge.kind, self._classes)

    def _outputs(self, model: QuantizedDetector, arithmetic: Arithmetic) -> Tensor:
        """Head outputs of all canvases, float64 (n, h, w, classes + 4)."""
        return torch.cat(
            [model.run(part, self._plan(model, len(part)), arithmetic).output for part in self._images]
        ).double()

    def _plan(self, model: QuantizedDetector, images: int) -> Plan:
        bits = model.options
        ratios = Ratios.uniform(self._judge.ratio, model.depths)
        facts = (ImageFacts(),) * images
        return Plan(ratios, load_score(DEFAULT_SCORE), facts, bits.high_bits, bits.low_bits, bits.other_bits)


def difference(wanted: Tensor, found: Tensor, kind: LossKind, classes: int) -> float:
    """How far head outputs (..., classes + 4) are from those wanted; both float64, 0 where they are equal."""
    if kind is LossKind.MSE:
        return float((found - wanted).square().mean())
    logits, reached = wanted[..., :classes], found[..., :classes]
    probability = logits.sigmoid()
    here = probability * (functional.logsigmoid(logits) - functional.logsigmoid(reached))
    absent = (1 - probability) * (functional.logsigmoid(-logits) - functional.logsigmoid(-reached))
    return float((here + absent).sum(dim=-1).mean())
