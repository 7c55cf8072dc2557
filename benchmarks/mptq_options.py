"""What MPTQ-ViT's choices cost: the shipped detector quantized with each, on the same test canvases.

Each row changes one option of the default; the last two are other methods. AP50 with its 95 % bootstrap interval over
canvases, and the paired interval of its difference to the default, all windows at 8 bits and all at 4; `seconds` is the
processor time of quantizing. Needs the calibration data (the Debian package dataset-fashion-mnist); some minutes on two
cores.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from csv_table import new_file, positive, write_csv
from repq_vit_options import detect

from mixarray_traces.detection.average_precision import (
    CanvasRecord,
    average_precision,
    bootstrap_difference,
    bootstrap_interval,
)
from mixarray_traces.model.detector import load_shipped_detector
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.mptq_options import MptqOptions, RegionSearch, SmoothedRange, SoftmaxQuantizer
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector

DEFAULT = "mptq_vit"
Reference = dict[int, list[CanvasRecord]]
"""Detections of the default, by bits."""
VARIANTS = {
    DEFAULT: MptqOptions(),
    "bias=off": MptqOptions(bias=False),
    "alpha=0": MptqOptions(alpha=0.0),
    "alpha=0.75": MptqOptions(alpha=0.75),
    "smoothed_range=raw": MptqOptions(smoothed_range=SmoothedRange.RAW),
    "softmax=two_region": MptqOptions(softmax=SoftmaxQuantizer.TWO_REGION),
    "region_search=values": MptqOptions(region_search=RegionSearch.VALUES),
    "uniform_affine": None,
    "repq_vit": None,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A line of the table."""

    variant: str
    activation_bits: int
    n: int
    calibration: int
    ap50: float
    low: float
    high: float
    difference: float
    difference_low: float
    difference_high: float
    seconds: float


def measured(name: str, model: QuantizedDetector, seconds: float, reference: Reference, n: int) -> Iterator[Measured]:
    """Both lines of a variant; the first variant is the reference."""
    for ratio, bits in ((0, 8), (1000, 4)):
        records = detect(model, ratio, n)
        known = reference.setdefault(bits, records)
        ap50, interval = average_precision(records).ap50, bootstrap_interval(records)
        paired = bootstrap_difference(records, known)
        difference = ap50 - average_precision(known).ap50
        yield Measured(
            variant=name,
            activation_bits=bits,
            n=n,
            calibration=model.options.calibration_canvases,
            ap50=round(ap50, 4),
            low=round(interval.low, 4),
            high=round(interval.high, 4),
            difference=round(difference, 4),
            difference_low=round(paired.low, 4),
            difference_high=round(paired.high, 4),
            seconds=seconds,
        )


def main() -> None:
    """Quantize, evaluate, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=positive, default=100, help="test canvases")
    parser.add_argument("--calibration", type=positive, default=32, help="calibration canvases")
    parser.add_argument("--csv", type=new_file, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    detector, reference, rows = load_shipped_detector(), Reference(), list[Measured]()
    for name, mptq in VARIANTS.items():
        method = name if mptq is None else DEFAULT
        options = QuantizationOptions(method=method, mptq=mptq, calibration_canvases=arguments.calibration)
        began = time.process_time()
        model = quantize(detector, options)
        seconds = round(time.process_time() - began, 1)
        rows += measured(name, model, seconds, reference, arguments.n)
        print(*rows[-2:], sep="\n", flush=True)
    write_csv(rows, arguments.csv)


if __name__ == "__main__":
    main()
