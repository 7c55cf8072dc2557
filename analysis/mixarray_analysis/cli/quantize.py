"""`mixarray quantize`: calibrate and quantize a trained detector."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixarray_analysis.cli.options import CheckpointOption, ForceOption, QuietOption, SeedOption

NAME = "quantize"


def command(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory of the quantized model.")],
    checkpoint: CheckpointOption = None,
    method: Annotated[str, typer.Option(help="Quantization method.")] = "uniform_affine",
    weight_bits: Annotated[int, typer.Option(help="Bits of the weights inside the blocks.")] = 4,
    high_bits: Annotated[int, typer.Option(help="Activation bits of the important windows.")] = 8,
    low_bits: Annotated[int, typer.Option(help="Activation bits of the others.")] = 4,
    rule: Annotated[str, typer.Option("--range", help="Range of a quantizer: min_max, percentile or mse.")] = "mse",
    canvases: Annotated[int, typer.Option("--n", min=1, help="Calibration canvases (validation split).")] = 32,
    size: Annotated[int, typer.Option("--size", min=32, help="Side of a calibration canvas in pixels.")] = 224,
    seed: SeedOption = 0,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Quantize a trained detector (calibration needs the Debian package dataset-fashion-mnist)."""
    from mixarray.errors import InputError
    from mixarray_analysis.models import prepare_torch
    from mixarray_analysis.steps import quantize_checkpoint

    prepare_torch()
    from mixarray_traces.quantization import QuantizationOptions, RangeRule

    if rule not in [known.value for known in RangeRule]:
        raise InputError("--range", f"{rule!r} is no range rule; allowed: {', '.join(RangeRule)}")
    options = QuantizationOptions(
        method=method,
        weight_bits=weight_bits,
        high_bits=high_bits,
        low_bits=low_bits,
        weight_range=RangeRule(rule),
        high_range=RangeRule(rule),
        low_range=RangeRule(rule),
        calibration_canvases=canvases,
        calibration_size=size,
        seed=seed,
    )
    path = quantize_checkpoint(checkpoint, options, out, force, quiet)
    if not quiet:
        typer.echo(str(path))
