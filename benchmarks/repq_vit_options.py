"""What RepQ-ViT's choices cost: the shipped detector quantized with each, on the same test canvases.

Each row changes one option of the default. AP50 with its 95 % bootstrap interval over canvases, and the paired interval
of its difference to the default, all windows at 8 bits and all at 4. Needs the calibration data (the Debian package
dataset-fashion-mnist); some minutes on two cores.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import torch

from mixarray_traces.data.canvas import open_source
from mixarray_traces.data.items import Split
from mixarray_traces.detection.average_precision import (
    CanvasRecord,
    average_precision,
    bootstrap_difference,
    bootstrap_interval,
)
from mixarray_traces.detection.evaluate import EVALUATION_SIZE, match_detections
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.decode import decode
from mixarray_traces.model.detector import images_to_input, load_shipped_detector
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.options import (
    BranchSteps,
    QuantizationOptions,
    RepqOptions,
    SoftmaxZero,
    ZeroPoints,
)
from mixarray_traces.quantization.quantized import QuantizedDetector

SIZE, SEED = EVALUATION_SIZE, 0
DEFAULT = "repq_vit"
VARIANTS = {
    DEFAULT: RepqOptions(),
    "zero_points=fractional": RepqOptions(zero_points=ZeroPoints.FRACTIONAL),
    "branch_steps=shared": RepqOptions(branch_steps=BranchSteps.SHARED),
    "softmax_zero=extra_zero": RepqOptions(softmax_zero=SoftmaxZero.EXTRA_ZERO),
    "largest_shift=31": RepqOptions(largest_shift=31),
    "largest_shift=7": RepqOptions(largest_shift=7),
    "uniform_affine": None,
}
COLUMNS = (
    "variant",
    "activation_bits",
    "n",
    "ap50",
    "low",
    "high",
    "ap",
    "difference",
    "difference_low",
    "difference_high",
)


def detect(model: QuantizedDetector, ratio: int, n: int) -> list[CanvasRecord]:
    """Matched detections of the first `n` test canvases at a ratio in thousandths."""
    source, records = open_source(Split.TEST), []
    for index in range(n):
        canvas = source.draw(SEED, index, SIZE)
        run = model.run(images_to_input(canvas.image[None]), model.plan(ratio, (ImageFacts(),)))
        found = decode(run.output, model.detector.config.stride, SIZE, SIZE)[0]
        records.append(match_detections(found, canvas))
    return records


def main() -> None:
    """Quantize, evaluate, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100, help="test canvases")
    parser.add_argument("--csv", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    detector, reference, rows = load_shipped_detector(), {}, []
    for name, repq in VARIANTS.items():
        model = quantize(detector, QuantizationOptions(method="uniform_affine" if repq is None else DEFAULT, repq=repq))
        for ratio, bits in ((0, 8), (1000, 4)):
            records = detect(model, ratio, arguments.n)
            reference.setdefault(bits, records)
            precision, interval = average_precision(records), bootstrap_interval(records)
            paired = bootstrap_difference(records, reference[bits])
            difference = precision.ap50 - average_precision(reference[bits]).ap50
            values = precision.ap50, interval.low, interval.high, precision.ap50_95, difference, paired.low, paired.high
            rows.append((name, bits, arguments.n, *(f"{value:.4f}" for value in values)))
            print(*rows[-1], flush=True)
    with arguments.csv.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])


if __name__ == "__main__":
    main()
