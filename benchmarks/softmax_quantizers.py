"""Four quantizers of softmax outputs at 3 and 4 bits: uniform, log2, log-sqrt2, and DFQ's interval.

The shipped detector, quantized as RepQ-ViT does at W4A8 with all windows in the high branch; only the softmax outputs
change. `error` is that of the attention outputs alone: the squared error of quantized softmax outputs times float
values over the square of the exact product, on float maps, mean over blocks. AP50 with its 95 % bootstrap interval, and
the paired interval of its difference to log-sqrt2 at the same bits. `interval` is where training begins (least squared
error), `interval_trained` the interval that block reconstruction learns, without low-rank weights.

Needs the calibration data (the Debian package dataset-fashion-mnist).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from csv_table import new_file, positive, write_csv
from torch import Tensor

from mixarray.trace.model import Encoding
from mixarray_traces.data.canvas import open_source
from mixarray_traces.data.items import Split
from mixarray_traces.detection.average_precision import (
    CanvasRecord,
    average_precision,
    bootstrap_difference,
    bootstrap_interval,
)
from mixarray_traces.detection.evaluate import match_detections
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.config import DetectorConfig
from mixarray_traces.model.decode import decode
from mixarray_traces.model.detector import images_to_input, load_shipped_detector
from mixarray_traces.quantization.aiqvit_options import AiqvitOptions, IntervalStart
from mixarray_traces.quantization.allocation import Allocation
from mixarray_traces.quantization.arithmetic import Calibration, FloatArithmetic
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.interval import first_interval
from mixarray_traces.quantization.network import named_weights
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.percentile_search import PERCENTILES, least_error, quantile, search_log_sqrt2
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.quantizers import ActivationQuantizer, Term
from mixarray_traces.quantization.ranges import Statistics, mse

SEED, BITS, REFERENCE = 0, (3, 4), "log_sqrt2"


@dataclass(frozen=True, slots=True)
class Log2Params:
    """Plain log2: value = step * 2**-c, the last code is 0. For this comparison alone."""

    bits: int
    step: float
    encoding: Encoding = Encoding.LOG_SQRT2
    offset: float = 0.0

    @property
    def zero_point(self) -> int:
        """The code of exponent 0."""
        return -(1 << (self.bits - 1))

    def codes(self, values: Tensor) -> Tensor:
        """Signed codes."""
        exponents = torch.log2(values.clamp_min(0) / self.step).mul_(-1).round_()
        return exponents.clamp_(0, (1 << self.bits) - 1) + self.zero_point

    def multiplicands(self, values: Tensor) -> Tensor:
        """0 or 2**-c."""
        exponents = self.codes(values) - self.zero_point
        return torch.where(exponents < (1 << self.bits) - 1, torch.exp2(-exponents), 0.0)

    def terms(self, values: Tensor) -> tuple[Term]:
        """Integers, worth 2**-(2**bits - 2) each."""
        unit = 2.0 ** -((1 << self.bits) - 2)
        return (Term(unit, (self.multiplicands(values) / unit).double()),)


def log2(seen: Statistics, bits: int) -> Log2Params:
    """The step is a percentile of the values, as that of log-sqrt2."""
    ordered = seen.sample.sort().values
    return least_error(seen.sample, [Log2Params(bits, float(quantile(ordered, share))) for share in PERCENTILES])


RULES: Mapping[str, Callable[[Statistics, int], ActivationQuantizer]] = {
    "uniform": mse,
    "log2": log2,
    REFERENCE: lambda seen, bits: search_log_sqrt2(seen.sample, bits, 15, extra_zero=False),
    "interval": lambda seen, bits: first_interval(seen, bits, IntervalStart.LEAST_ERROR),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One quantizer at one width; see the module."""

    quantizer: str
    bits: int
    n: int
    size: int
    calibration_canvases: int
    calibration_size: int
    error: float
    ap50: float
    low: float
    high: float
    difference: float
    difference_low: float
    difference_high: float


class Products(FloatArithmetic):
    """Runs in float; keeps samples of softmax outputs, and with `quantizers` the error of every attention output."""

    def __init__(self, model: QuantizedDetector, quantizers: Mapping[str, ActivationQuantizer] | None = None) -> None:
        super().__init__(named_weights(model.network))
        self.quantizers = quantizers or {}
        self.samples: dict[str, list[Tensor]] = {}
        self.noise: dict[str, float] = {}
        self.signal: dict[str, float] = {}

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        exact = left @ right
        if name.endswith(".av"):
            self.samples.setdefault(f"{name}.left", []).append(left.flatten()[::7].double())
            if f"{name}.left" in self.quantizers:
                quantizer = self.quantizers[f"{name}.left"]
                error = (quantizer.multiplicands(left) * quantizer.step) @ right - exact
                self.noise[name] = self.noise.get(name, 0.0) + float(error.square().sum())
                self.signal[name] = self.signal.get(name, 0.0) + float(exact.square().sum())
        return exact


def statistics(model: QuantizedDetector, canvases: int, size: int) -> dict[str, Statistics]:
    """What calibration canvases show of the softmax outputs of the float model."""
    watched = Products(model)
    run(model, Split.VALIDATION, canvases, size, watched)
    joined = {name: torch.cat(found) for name, found in watched.samples.items()}
    return {name: Statistics(float(one.min()), float(one.max()), one) for name, one in joined.items()}


def run(model: QuantizedDetector, split: Split, n: int, size: int, products: Products | None) -> list[CanvasRecord]:
    """Matched detections of the first `n` canvases, all windows in the high branch."""
    config = model.detector.config
    assert isinstance(config, DetectorConfig)
    source, records = open_source(split), []
    for index in range(n):
        canvas = source.draw(SEED, index, size)
        found = model.run(images_to_input(canvas.image[None]), model.plan(0, (ImageFacts(),)), products)
        boxes = decode(found.output, config.stride, size, size)[0]
        records.append(match_detections(boxes, canvas))
    return records


def trained(options: QuantizationOptions, names: list[str], bits: int) -> dict[str, ActivationQuantizer]:
    """The intervals that block reconstruction learns at these bits."""
    chosen = replace(
        options,
        method="aiqvit",
        aiqvit=AiqvitOptions(rank=0),
        allocation=Allocation({}, dict.fromkeys(names, bits)),
    )
    activations = quantize(load_shipped_detector(), chosen).calibration.activations
    return {name: activations[name, options.high_bits] for name in names}


def main() -> None:
    """Quantize, measure, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=positive, default=100, help="test canvases")
    parser.add_argument("--size", type=positive, default=448, help="their side in px")
    parser.add_argument("--calibration", type=positive, default=32, help="calibration canvases")
    parser.add_argument("--calibration-size", type=positive, default=224, help="their side in px")
    parser.add_argument("--csv", type=new_file, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    options = QuantizationOptions(
        method="repq_vit", calibration_canvases=given.calibration, calibration_size=given.calibration_size
    )
    model = quantize(load_shipped_detector(), options)
    seen = statistics(model, given.calibration, given.calibration_size)
    rows: list[Row] = []
    for bits in BITS:
        found = {kind: {name: rule(one, bits) for name, one in seen.items()} for kind, rule in RULES.items()} | {
            "interval_trained": trained(options, list(seen), bits)
        }
        measured = {kind: measure(model, chosen, given.n, given.size) for kind, chosen in found.items()}
        reference = measured[REFERENCE][1]
        for kind, (error, records) in measured.items():
            interval, paired = bootstrap_interval(records), bootstrap_difference(records, reference)
            ap50 = average_precision(records).ap50
            values = error, ap50, interval.low, interval.high, ap50 - average_precision(reference).ap50
            numbers = (round(value, 5) for value in (*values, paired.low, paired.high))
            budget = given.n, given.size, given.calibration, given.calibration_size
            rows.append(Row(kind, bits, *budget, *numbers))
            print(rows[-1], flush=True)
    write_csv(rows, given.csv)


def measure(
    model: QuantizedDetector, chosen: Mapping[str, ActivationQuantizer], n: int, size: int
) -> tuple[float, list[CanvasRecord]]:
    """The error of attention outputs, and the detections of the model with these softmax quantizers."""
    watched = Products(model, chosen)
    run(model, Split.TEST, max(1, n // 8), size, watched)
    error = math.fsum(watched.noise[name] / watched.signal[name] for name in watched.signal) / len(watched.signal)
    activations = dict(model.calibration.activations)
    activations |= {(name, model.options.high_bits): one for name, one in chosen.items()}
    changed = replace(model, calibration=Calibration(activations, model.calibration.weights), _arithmetics={})
    return error, run(changed, Split.TEST, n, size, None)


if __name__ == "__main__":
    main()
