"""`mixarray quantize`: calibrate and quantize a trained detector."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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


def command(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory of the quantized model.")],
    checkpoint: CheckpointOption = None,
    data: DataOption = None,
    image_dir: ImageDirOption = None,
    naming: NamingOption = None,
    arch: ArchOption = None,
    prefix: PrefixOption = None,
    mean: MeanOption = None,
    deviation: DeviationOption = None,
    small_maps: SmallMapsOption = None,
    method: Annotated[
        str,
        typer.Option(
            help="Quantization method: uniform_affine, repq_vit (RepQ-ViT), mptq_vit (inspired by MPTQ-ViT), aiqvit "
            "(inspired by AIQViT), or ofq (before training)."
        ),
    ] = "uniform_affine",
    weight_bits: Annotated[int, typer.Option(help="Bits of the weights inside the blocks.")] = 4,
    high_bits: Annotated[int, typer.Option(help="Activation bits of the important windows.")] = 8,
    low_bits: Annotated[int, typer.Option(help="Activation bits of the others.")] = 4,
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
    from mixarray.errors import InputError
    from mixarray_analysis.models import prepare_torch
    from mixarray_analysis.own_data import OwnData, own_checkpoint, quantize_own
    from mixarray_analysis.steps import quantize_checkpoint

    prepare_torch()
    from mixarray_traces.quantization import QuantizationOptions, RangeRule
    from mixarray_traces.quantization.allocation import read_allocation

    repq = repq_options(method, zero_points, branch_steps, softmax_zero, largest_shift)
    mptq = mptq_options(method, smoothing_alpha, no_bias, smoothed_range, softmax_quantizer, region_search)
    flags = AiqvitFlags(
        base,
        softmax_codes,
        interval_start,
        compensation,
        side_bits,
        rank,
        ranks,
        block_inputs,
        iterations,
        search_iterations,
        curriculum,
    )
    aiqvit = aiqvit_options(method, flags)
    if method not in ("uniform_affine", MPTQ_VIT) and rule is not None:
        raise InputError("--range", f"{rule} is an option of uniform_affine and {MPTQ_VIT}; the method is {method}")
    rule = "mse" if rule is None else rule
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
        calibration_size=224 if size is None else size,
        seed=seed,
        repq=repq,
        mptq=mptq,
        aiqvit=aiqvit,
        allocation=None if allocation is None else read_allocation(allocation),
    )
    own = (image_dir, naming, arch, prefix, mean, deviation, small_maps)
    if data is None:
        if any(value is not None for value in own):
            raise InputError("--data", "is missing: your own model is calibrated on your photographs")
        path = quantize_checkpoint(checkpoint, options, out, force, quiet)
    else:
        path = quantize_own(
            own_checkpoint(checkpoint, naming, arch, prefix, mean, deviation, small_maps),
            OwnData(data, image_dir, size),
            options,
            out,
            force,
            quiet,
        )
    if not quiet:
        typer.echo(str(path))
