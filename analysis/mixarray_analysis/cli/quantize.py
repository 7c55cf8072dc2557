"""`mixarray quantize`: calibrate and quantize a trained detector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray.errors import InputError
from mixarray_analysis.cli.aiqvit_options import (
    AiqvitFlags,
    BaseOption,
    BlockInputsOption,
    CompensationOption,
    CurriculumOption,
    IntervalStartOption,
    IterationsOption,
    RankOption,
    RanksOption,
    SearchIterationsOption,
    SideBitsOption,
    SoftmaxCodesOption,
    aiqvit_options,
)
from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.mptq_options import (
    MPTQ_VIT,
    NoBiasOption,
    RegionSearchOption,
    SmoothedRangeOption,
    SmoothingAlphaOption,
    SoftmaxQuantizerOption,
    mptq_options,
)
from mixarray_analysis.cli.options import (
    AllocationOption,
    CheckpointOption,
    DataOption,
    ForceOption,
    ImageDirOption,
    QuietOption,
    SeedOption,
)
from mixarray_analysis.cli.repq_options import (
    BranchStepsOption,
    LargestShiftOption,
    SoftmaxZeroOption,
    ZeroPointsOption,
    repq_options,
)

if TYPE_CHECKING:
    from mixarray_traces.quantization import QuantizationOptions, RangeRule
    from mixarray_traces.quantization.aiqvit_options import AiqvitOptions
    from mixarray_traces.quantization.mptq_options import MptqOptions
    from mixarray_traces.quantization.options import RepqOptions

NAME = "quantize"
EPILOG = examples(
    "mixarray quantize -o runs/quantized",
    "mixarray quantize --method repq_vit -o runs/repq",
    "mixarray quantize --checkpoint swin_t.pth --data imagenet/train -o runs/own",
)

NamingOption = Annotated[
    str | None,
    typer.Option(
        "--naming",
        help="Whose names the checkpoint uses: timm, hugging_face, torchvision, microsoft or mmdet (default: told from "
        "them); needs --data.",
    ),
]
ArchOption = Annotated[
    str | None,
    typer.Option("--arch", help="swin_t, swin_s or swin_b (default: read from the tensors); needs --data."),
]
PrefixOption = Annotated[
    str | None,
    typer.Option("--prefix", help="Read only the tensors whose names begin so, such as `encoder.`; needs --data."),
]
MeanOption = Annotated[
    str | None,
    typer.Option("--mean", metavar="R,G,B", help="What a classifier's input was normalised with (default: ImageNet)."),
]
DeviationOption = Annotated[
    str | None, typer.Option("--deviation", metavar="R,G,B", help="As --mean: the standard deviation.")
]
SmallMapsOption = Annotated[
    str | None,
    typer.Option(
        "--small-maps",
        help="On a map not larger than its window a block shrinks the window (`shrink`, as in classification code), or "
        "pads the map (`pad`, as in detection code); needs --data.  [default: shrink]",
    ),
]
RangeOption = Annotated[
    str | None,
    typer.Option(
        "--range", help="uniform_affine, mptq_vit: range of a quantizer: min_max, percentile or mse.  [default: mse]"
    ),
]
NumberOption = Annotated[
    int, typer.Option("--n", min=1, help="Calibration canvases (validation split), or photographs of --data.")
]
SideOption = Annotated[
    int | None,
    typer.Option(
        "--size", min=32, help="Side in px of a calibration canvas, or of a photograph's crop.  [default: 224]"
    ),
]
ModelOutOption = Annotated[Path, typer.Option("--out", "-o", help="Directory of the quantized model.")]
MethodOption = Annotated[
    str,
    typer.Option(
        help="Quantization method: uniform_affine, repq_vit (RepQ-ViT), mptq_vit (inspired by MPTQ-ViT), aiqvit "
        "(inspired by AIQViT), or ofq (before training)."
    ),
]
WeightBitsOption = Annotated[int, typer.Option(help="Bits of the weights inside the blocks.")]
HighBitsOption = Annotated[int, typer.Option(help="Activation bits of the important windows.")]
LowBitsOption = Annotated[int, typer.Option(help="Activation bits of the others.")]


def command(
    *,
    out: ModelOutOption,
    checkpoint: CheckpointOption = None,
    data: DataOption = None,
    image_dir: ImageDirOption = None,
    naming: NamingOption = None,
    arch: ArchOption = None,
    prefix: PrefixOption = None,
    mean: MeanOption = None,
    deviation: DeviationOption = None,
    small_maps: SmallMapsOption = None,
    method: MethodOption = "uniform_affine",
    weight_bits: WeightBitsOption = 4,
    high_bits: HighBitsOption = 8,
    low_bits: LowBitsOption = 4,
    allocation: AllocationOption = None,
    rule: RangeOption = None,
    zero_points: ZeroPointsOption = None,
    branch_steps: BranchStepsOption = None,
    softmax_zero: SoftmaxZeroOption = None,
    largest_shift: LargestShiftOption = None,
    smoothing_alpha: SmoothingAlphaOption = None,
    no_bias: NoBiasOption = False,
    smoothed_range: SmoothedRangeOption = None,
    softmax_quantizer: SoftmaxQuantizerOption = None,
    region_search: RegionSearchOption = None,
    base: BaseOption = None,
    softmax_codes: SoftmaxCodesOption = None,
    interval_start: IntervalStartOption = None,
    compensation: CompensationOption = None,
    side_bits: SideBitsOption = None,
    rank: RankOption = None,
    ranks: RanksOption = None,
    block_inputs: BlockInputsOption = None,
    iterations: IterationsOption = None,
    search_iterations: SearchIterationsOption = None,
    curriculum: CurriculumOption = None,
    canvases: NumberOption = 32,
    size: SideOption = None,
    seed: SeedOption = 0,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Calibrate and quantize a trained model.

    The project's detector is calibrated on drawn canvases (Debian package dataset-fashion-mnist); your own classifier,
    or detector with our head, on your photographs: --checkpoint with --data.
    """
    from mixarray_analysis.models import prepare_torch

    prepare_torch()
    repq = repq_options(method, zero_points, branch_steps, softmax_zero, largest_shift)
    mptq = mptq_options(method, smoothing_alpha, no_bias, smoothed_range, softmax_quantizer, region_search)
    compensated = base, softmax_codes, interval_start, compensation, side_bits, rank, ranks
    trained = block_inputs, iterations, search_iterations, curriculum
    aiqvit = aiqvit_options(method, AiqvitFlags(*compensated, *trained))
    ranges = _range_rule(method, rule)
    bits = weight_bits, high_bits, low_bits
    calibration = canvases, size, seed
    options = _options(method, bits, ranges, calibration, repq, mptq, aiqvit, allocation)
    named = naming, arch, prefix, mean, deviation, small_maps
    path = _quantized(checkpoint, named, (data, image_dir, size), options, out, force, quiet)
    if not quiet:
        typer.echo(str(path))


def _range_rule(method: str, rule: str | None) -> RangeRule:
    """What `--range` names, MSE where it was not given; InputError for a method that has none, and unknown names."""
    from mixarray_traces.quantization import RangeRule

    if method not in ("uniform_affine", MPTQ_VIT) and rule is not None:
        raise InputError("--range", f"{rule} is an option of uniform_affine and {MPTQ_VIT}; the method is {method}")
    rule = "mse" if rule is None else rule
    if rule not in [known.value for known in RangeRule]:
        raise InputError("--range", f"{rule!r} is no range rule; allowed: {', '.join(RangeRule)}")
    return RangeRule(rule)


def _options(
    method: str,
    bits: tuple[int, int, int],
    ranges: RangeRule,
    calibration: tuple[int, int | None, int],
    repq: RepqOptions | None,
    mptq: MptqOptions | None,
    aiqvit: AiqvitOptions | None,
    allocation: Path | None,
) -> QuantizationOptions:
    """bits: of weights, of the high and of the low branch. calibration: number of images, side in px, seed."""
    from mixarray_traces.quantization import QuantizationOptions
    from mixarray_traces.quantization.allocation import read_allocation

    weight_bits, high_bits, low_bits = bits
    number, side_px, seed = calibration
    return QuantizationOptions(
        method=method,
        weight_bits=weight_bits,
        high_bits=high_bits,
        low_bits=low_bits,
        weight_range=ranges,
        high_range=ranges,
        low_range=ranges,
        calibration_canvases=number,
        calibration_size=224 if side_px is None else side_px,
        seed=seed,
        repq=repq,
        mptq=mptq,
        aiqvit=aiqvit,
        allocation=None if allocation is None else read_allocation(allocation),
    )


def _quantized(
    checkpoint: Path | None,
    named: tuple[str | None, str | None, str | None, str | None, str | None, str | None],
    photographs: tuple[Path | None, Path | None, int | None],
    options: QuantizationOptions,
    out: Path,
    force: bool,
    quiet: bool,
) -> Path:
    """The directory of the quantized model: of the project's detector, or of the user's where there are photographs.

    named: what `own_checkpoint` is told. photographs: --data, --image-dir, --size. Raises InputError where something is
    said about the user's own model, and there are no photographs.
    """
    from mixarray_analysis.own_data import OwnData, own_checkpoint, quantize_own
    from mixarray_analysis.steps import quantize_checkpoint

    data, image_dir, crop_px = photographs
    if data is not None:
        where = OwnData(data, image_dir, crop_px)
        return quantize_own(own_checkpoint(checkpoint, *named), where, options, out, force, quiet)
    if any(value is not None for value in (image_dir, *named)):
        raise InputError("--data", "is missing: your own model is calibrated on your photographs")
    return quantize_checkpoint(checkpoint, options, out, force, quiet)
