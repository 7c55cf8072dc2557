"""The options that commands share, so that they are spelled and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mixarray_analysis.cli.completion import complete_accelerators

OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Where the result goes; nothing half-done stays.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an earlier result of mixarray at --out.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything that is drawn.")]
JobsOption = Annotated[
    int, typer.Option("--jobs", "-j", min=0, help="Simulations run side by side (0: as many as there are CPUs).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no report.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change the accelerator, e.g. arrays.0.rows=64 (repeatable)."),
]
AcceleratorOption = Annotated[
    str,
    typer.Option(
        "--accelerator",
        "-a",
        help="Name of a shipped accelerator, or a YAML file.",
        autocompletion=complete_accelerators,
    ),
]
AcceleratorsOption = Annotated[
    str,
    typer.Option(
        "--accelerator",
        "-a",
        metavar="A,B",
        help="Accelerators: shipped names or YAML files.",
        autocompletion=complete_accelerators,
    ),
]
RatioOption = Annotated[
    str,
    typer.Option(
        "--ratio",
        help="Share of windows at low bits: 0 to 0.8 in steps of 0.001, or 1; or one per block pair, stages behind "
        "slashes: 0.2/0.4/0.4,0.6,0.8.",
    ),
]
RatiosOption = Annotated[
    str,
    typer.Option(
        "--ratios",
        metavar="FIRST:LAST:STEP",
        help="Ratios: 0:0.8:0.2, or a list such as 0,0.4,0.8; per block pair with semicolons between: "
        "'0;0.2/0.4/0.4,0.6,0.8'.",
    ),
]
AllocationOption = Annotated[
    Path | None,
    typer.Option(
        "--allocation", metavar="FILE", help="Bits of single layers (JSON, from `mixarray allocate` or your own)."
    ),
]
PruningOption = Annotated[
    str,
    typer.Option(
        "--pruning",
        help="Share of windows skipped, the least important ones: they keep their input. One number, or one per block "
        "pair as in --ratio; both shares are at most 1 together. Beside --ratios also one for each of them, with "
        "semicolons between.",
    ),
]
PromotionOption = Annotated[
    str,
    typer.Option(
        "--promotion",
        help="Whether a low or pruned window may run better later in its stage: refused; ratios (they may fall); "
        "ranking (every block ranks anew, and they may fall).",
    ),
]
PaddingOption = Annotated[
    str,
    typer.Option(
        "--padding",
        help="What padded positions run through: attention (the model's own rule), or block (SparseViT's whole blocks; "
        "it changes the function of the network wherever a map is padded).",
    ),
]
ModelOption = Annotated[
    Path | None, typer.Option("--model", help="A quantized model written by `quantize` (default: the shipped one).")
]
ModelOrShapeOption = Annotated[
    str | None,
    typer.Option("--model", help="A quantized model's directory (default: the shipped one), or swin_t|swin_s|swin_b."),
]
CheckpointOption = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        help="Weights of `train`, or others of the shipped detector's shape and names (default: the shipped ones).",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Your own photographs instead of drawn canvases: a folder per class for a classifier, COCO's json for a "
        "detector.",
    ),
]
ImageDirOption = Annotated[
    Path | None, typer.Option("--image-dir", help="With a json as --data: the directory of the images it names.")
]
ScoreOption = Annotated[
    str | None, typer.Option("--score", help="Importance score that ranks windows (default: the project's).")
]
CanvasesOrNoneOption = Annotated[
    int, typer.Option("--n", min=0, help="Canvases the accuracy is taken on: at least 2, or 0 for none.")
]
SizeOption = Annotated[int, typer.Option("--size", min=32, help="Height and width of a canvas in pixels.")]
SideOption = Annotated[
    int | None,
    typer.Option(
        "--size", min=32, help="Side in px of a canvas, or of a photograph's crop.  [default: 448; as calibrated]"
    ),
]

EngineOption = Annotated[
    Literal["event", "fast"] | None,
    typer.Option("--engine", help="What runs the schedule: both give the same answer.  [default: fast]"),
]
TimelineOption = Annotated[
    bool, typer.Option("--timeline", help="Also write timeline.perfetto.json, for ui.perfetto.dev; needs --out.")
]
TimelineLimitOption = Annotated[
    int | None,
    typer.Option(
        "--timeline-limit",
        min=1000,
        metavar="SLICES",
        help="Most slices of --timeline; neighbours merge beyond.  [default: 200000]",
    ),
]

FIRST_ACCELERATOR = "packed_w4_32x32"
BOTH_ACCELERATORS = "packed_w4_32x32,plain_int8_32x32"
EVERY_RATIO = "0:0.8:0.2"
