"""`mixarray record`: run the quantized model and write the bundle of what it did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import (
    AllocationOption,
    DataOption,
    ForceOption,
    ImageDirOption,
    ModelOrShapeOption,
    PaddingOption,
    PromotionOption,
    PruningOption,
    QuietOption,
    RatioOption,
    ScoreOption,
    SeedOption,
    SideOption,
)

NAME = "record"
EPILOG = examples(
    "mixarray record --ratio 0.4 -o runs/bundle",
    "mixarray record --image photo.jpg --ratio 0.4 -o runs/photo",
    "mixarray record --model swin_t --input 800x1333 --weights random --score random --ratio 0.4 -o runs/swin_t",
)

BundleOutOption = Annotated[Path, typer.Option("--out", "-o", help="Directory of the bundle.")]
ImagesOption = Annotated[
    list[Path] | None, typer.Option("--image", help="Your own image (repeatable) instead of drawn canvases.")
]
NumberOption = Annotated[
    int | None, typer.Option("--n", min=1, help="Drawn canvases, or photographs of --data.  [default: 1]")
]
InputSizeOption = Annotated[
    str | None, typer.Option("--input", metavar="HxW", help="Input size of a named model, such as 800x1333.")
]
WeightsOption = Annotated[str, typer.Option(help="`trained`, or `random` for a named model.")]
BranchBitsOption = Annotated[
    str | None,
    typer.Option(metavar="HIGH,LOW", help="Activation bits of a named model's branches.  [default: 8,4]"),
]
WeightBitsOption = Annotated[
    int | None, typer.Option(min=2, max=8, help="Bits of the weights in a named model's blocks.  [default: 4]")
]
MarksOption = Annotated[
    str | None,
    typer.Option(
        help="Whose marks the trace of a named model bears: encodings, row and column sums of uniform_affine "
        "(default), repq_vit, ofq, mptq_vit or aiqvit."
    ),
]
RankOption = Annotated[
    int | None,
    typer.Option(min=1, help="Side path of this rank and 8 bits beside every linear layer of a named model."),
]
TensorsOption = Annotated[str, typer.Option(help="Recorded codes: none, sampled (first image) or all.")]


def command(
    *,
    out: BundleOutOption,
    ratio: RatioOption,
    pruning: PruningOption = "0",
    promotion: PromotionOption = "refused",
    padding: PaddingOption = "attention",
    model: ModelOrShapeOption = None,
    images: ImagesOption = None,
    data: DataOption = None,
    image_dir: ImageDirOption = None,
    canvases: NumberOption = None,
    size: SideOption = None,
    input_size: InputSizeOption = None,
    weights: WeightsOption = "trained",
    bits: BranchBitsOption = None,
    weight_bits: WeightBitsOption = None,
    allocation: AllocationOption = None,
    method: MarksOption = None,
    rank: RankOption = None,
    score: ScoreOption = None,
    tensors: TensorsOption = "none",
    seed: SeedOption = 0,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run a quantized model at one ratio and record a bundle.

    Of drawn canvases, of your images, or of a published Swin with random weights (shapes alone: no accuracy).
    """
    from mixarray_analysis.cli.values import read_branch_bits, read_choice, read_padding, read_size
    from mixarray_analysis.recording import RecordRequest, record_request
    from mixarray_analysis.say import say_padding

    kind = read_padding(padding)
    path = record_request(
        RecordRequest(
            out=out,
            ratio=read_choice(ratio, pruning, promotion),
            padding=kind,
            model=model,
            images=tuple(images or ()),
            data=data,
            image_dir=image_dir,
            canvases=canvases,
            size=size,
            input_size=None if input_size is None else read_size(input_size),
            weights=weights,
            branch_bits=None if bits is None else read_branch_bits(bits),
            weight_bits=weight_bits,
            allocation=allocation,
            method=method,
            rank=rank,
            score=score,
            tensors=tensors,
            seed=seed,
            force=force,
            quiet=quiet,
        )
    )
    if not quiet:
        typer.echo(str(path))
        say_padding(kind)
