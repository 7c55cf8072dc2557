"""What AIQViT's parts are worth on the shipped detector: each row changes one option, on the same test canvases.

AP50 with its 95 % bootstrap interval over canvases, and the paired interval of its difference to `repq_vit`, whose
quantizers are AIQViT's base: all windows at 8 bits, and all at 4. `rank_sum` adds up the ranks of all layers. Needs the
calibration data (the Debian package dataset-fashion-mnist); a minute or two per row and about as much to evaluate it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from csv_table import new_file, positive, write_csv

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
from mixarray_traces.quantization.aiqvit_options import AiqvitOptions, BlockInputs, Compensation, SoftmaxCodes
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector

SEED, REFERENCE = 0, "repq_vit"
DEFAULT = AiqvitOptions()
VARIANTS: Mapping[str, AiqvitOptions | None] = {
    REFERENCE: None,
    "aiqvit": DEFAULT,
    "rank=0": replace(DEFAULT, rank=0),
    "rank=8": replace(DEFAULT, rank=8),
    "softmax_codes=base": replace(DEFAULT, softmax=SoftmaxCodes.BASE),
    "compensation=side_path": replace(DEFAULT, compensation=Compensation.SIDE_PATH),
    "no_curriculum": replace(DEFAULT, curriculum=False),
    "block_inputs=float": replace(DEFAULT, block_inputs=BlockInputs.FLOAT),
    "iterations=320": replace(DEFAULT, iterations=320),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One variant with all windows at `activation_bits`."""

    variant: str
    activation_bits: int
    n: int
    size: int
    rank_sum: int
    ap50: float
    low: float
    high: float
    difference: float
    difference_low: float
    difference_high: float


def detect(model: QuantizedDetector, ratio: int, n: int, size: int) -> list[CanvasRecord]:
    """Matched detections of the first `n` test canvases at a ratio in thousandths."""
    config = model.detector.config
    assert isinstance(config, DetectorConfig)
    source, records = open_source(Split.TEST), []
    for index in range(n):
        canvas = source.draw(SEED, index, size)
        run = model.run(images_to_input(canvas.image[None]), model.plan(ratio, (ImageFacts(),)))
        found = decode(run.output, config.stride, size, size)[0]
        records.append(match_detections(found, canvas))
    return records


def main() -> None:
    """Quantize, evaluate, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=positive, default=100, help="test canvases")
    parser.add_argument("--size", type=positive, default=448, help="their side in px")
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS)[1:], help="these variants beside repq_vit")
    parser.add_argument("--csv", type=new_file, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    detector, rows = load_shipped_detector(), list[Row]()
    reference: dict[int, list[CanvasRecord]] = {}
    for name, chosen in VARIANTS.items():
        if given.only and name not in (REFERENCE, *given.only):
            continue
        method = REFERENCE if chosen is None else "aiqvit"
        model = quantize(detector, QuantizationOptions(method=method, aiqvit=chosen))
        ranks = sum(one.rank for one in model.low_rank.values())
        for ratio, bits in ((0, 8), (1000, 4)):
            records = detect(model, ratio, given.n, given.size)
            before = reference.setdefault(bits, records)
            interval, paired = bootstrap_interval(records), bootstrap_difference(records, before)
            ap50 = average_precision(records).ap50
            values = ap50, interval.low, interval.high, ap50 - average_precision(before).ap50, paired.low, paired.high
            row = Row(name, bits, given.n, given.size, ranks, *(round(value, 5) for value in values))
            rows.append(row)
            print(row, flush=True)
    write_csv(rows, given.csv)


if __name__ == "__main__":
    main()
