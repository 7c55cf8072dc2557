"""The clamping loss of SQ-b on the shipped detector: what symmetric activations lose behind every LayerNorm.

With the bias term, without it (SmoothQuant alone), and without SQ-b; at both branches' bits; a step of least squared
error. Rows come from calibration canvases (the Debian package dataset-fashion-mnist); about a minute on two cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from csv_table import new_file, positive, write_csv
from torch import Tensor

from mixarray_traces.data.canvas import open_source
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.importance.registry import load_score
from mixarray_traces.model.detector import images_to_input, load_shipped_detector
from mixarray_traces.quantization.arithmetic import ObservingArithmetic, Weight
from mixarray_traces.quantization.clamping import clamping_loss
from mixarray_traces.quantization.folding import Fold
from mixarray_traces.quantization.method import load_sampling
from mixarray_traces.quantization.methods.mptq_vit import AFTER_NORM, rows_of
from mixarray_traces.quantization.mptq_options import MptqOptions
from mixarray_traces.quantization.network import Plan, named_weights
from mixarray_traces.quantization.options import QuantizationOptions, RangeRule
from mixarray_traces.quantization.ranges import Statistics, spread
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.quantization.running import run_network
from mixarray_traces.quantization.smoothing import smoothing_fold

OPTIONS = QuantizationOptions(method="mptq_vit")
VARIANTS = {"bias": MptqOptions(), "no bias": MptqOptions(bias=False), "no SQ-b": None}
_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """A line of the table; shares of 1, see `ClampingLoss`."""

    layer: str
    variant: str
    activation_bits: int
    calibration: int
    clamped: float
    values: float
    output: float


def observed(canvases: int) -> tuple[dict[str, Statistics], dict[str, Weight]]:
    """What calibration sees of the shipped detector, and its weights."""
    detector, source = load_shipped_detector(), open_source(OPTIONS.calibration_split)
    weights = named_weights(detector)
    observer = ObservingArithmetic(weights, load_sampling(OPTIONS.method))
    ratios = Ratios.uniform(0, detector.backbone.config.depths)
    bits = OPTIONS.high_bits, OPTIONS.low_bits, OPTIONS.other_bits
    plan = Plan(ratios, load_score(DEFAULT_SCORE), (ImageFacts(),), *bits)
    for index in range(canvases):
        image = source.draw(OPTIONS.seed, index, OPTIONS.calibration_size).image
        run_network(detector, images_to_input(image[None]), plan, observer)
    return observer.statistics(), weights


def measured(layer: str, rows: Tensor, matrix: Tensor, canvases: int) -> Iterator[Measured]:
    """All lines of a layer; the folds see all rows, the losses an even choice of them."""
    ones = torch.ones(rows.shape[1], dtype=torch.float64)
    for variant, options in VARIANTS.items():
        fold = Fold(ones, 0 * ones) if options is None else smoothing_fold(rows, matrix, options)
        for bits in (OPTIONS.high_bits, OPTIONS.low_bits):
            loss = clamping_loss(spread(rows, _ROWS), matrix, fold, bits, RangeRule.MSE)
            shares = (float(f"{share:.4g}") for share in (loss.clamped, loss.values, loss.output))
            yield Measured(layer, variant, bits, canvases, *shares)


@torch.no_grad()
def main() -> None:
    """Observe, quantize layer by layer, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calibration", type=positive, default=OPTIONS.calibration_canvases, help="canvases")
    parser.add_argument("--csv", type=new_file, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    statistics, weights = observed(arguments.calibration)
    lines = list[Measured]()
    for name, seen in statistics.items():
        if name.endswith(AFTER_NORM):
            layer = name.removesuffix(".input")
            lines += measured(layer, rows_of(seen), weights[layer].matrix, arguments.calibration)
    write_csv(lines, arguments.csv)


if __name__ == "__main__":
    main()
