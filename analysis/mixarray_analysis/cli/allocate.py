"""`mixarray allocate`: bits layer by layer, greedily, by what a machine gets for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray.errors import InputError
from mixarray_analysis.cli.context import is_meant, refuse_with_resume
from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import (
    FIRST_ACCELERATOR,
    AcceleratorOption,
    CheckpointOption,
    ForceOption,
    JsonOption,
    QuietOption,
    SetOption,
)

if TYPE_CHECKING:
    from mixarray_analysis.allocating.results import Found
    from mixarray_analysis.allocating.settings import Settings

NAME = "allocate"
EPILOG = examples(
    "mixarray allocate --objective bits --average-bits 5 -o runs/bits",
    "mixarray allocate --objective cycles -a packed_w4_32x32 -o runs/cycles",
    "mixarray allocate compare runs/bits runs/cycles -o runs/bits_or_cycles",
)

ObjectiveOption = Annotated[
    str | None, typer.Option(help="What is saved: bits, bops, cycles or energy.", show_default=False)
]
AverageBitsOption = Annotated[
    float | None, typer.Option(help="Stop at this average width.", show_default="down to --lowest")
]
BudgetOption = Annotated[
    float | None, typer.Option(help="Stop at this share of the start's bits, BOPs, cycles or energy.")
]
LowestOption = Annotated[int, typer.Option(help="Fewest bits of a decision: 3 or 4.")]
AverageOption = Annotated[str, typer.Option(help="What the average is over: layers (every decision once) or elements.")]
WidthOption = Annotated[
    str,
    typer.Option(
        help="Which width a move goes to: next (the next below at which the cost falls) or steepest (where it "
        "falls most per bit)."
    ),
]
RescoreOption = Annotated[
    str,
    typer.Option(
        help="When loss increases are measured: every (all at each step), lazy (the best anew until it stays the "
        "best) or once (from the start)."
    ),
]
MethodOption = Annotated[str, typer.Option(help="Quantization method: uniform_affine, repq_vit or mptq_vit.")]
LossOption = Annotated[
    str, typer.Option(help="What the head's output loses against float: mse (all outputs) or kl (classes).")
]
CanvasesOption = Annotated[int, typer.Option("--n", help="Canvases for quantizers and loss.")]
SideOption = Annotated[int, typer.Option("--size", min=32, help="Side of these canvases in px.")]
StreamOption = Annotated[int, typer.Option("--seed", min=0, help="Stream of these canvases; `evaluate` takes 0.")]
InputOption = Annotated[
    int, typer.Option("--input", min=32, help="Side of the simulated image in px; windows must not be padded.")
]
LowShareOption = Annotated[
    str, typer.Option("--ratio", help="Share of low windows (4 bits at most), as in `evaluate`; one number.")
]
CacheOption = Annotated[
    Path | None,
    typer.Option(help="Losses that allocations share.  [default: allocation_losses.jsonl beside the result]"),
]
ResumeOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Go on with a stopped allocation, with its own settings.")
]
AllocationOutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Directory of the allocation.")]

FREE = ("resume", "cache", "as_json", "quiet")
"""Parameters that go with --resume; the stopped allocation decides all others."""

app = typer.Typer(
    short_help="Allocate bits layer by layer, greedily.",
    help="Lower the bits of weights and activations, one decision at a time, where the loss rises least for what is "
    "saved: bits, BOPs, or simulated cycles or energy (inspired by MPTQ-ViT). Writes allocation.json for `quantize "
    "--allocation`, steps.csv, layers.csv, report.txt, a picture, and a checkpoint after every step.",
    epilog=EPILOG,
)


@app.callback(invoke_without_command=True)
def command(
    context: typer.Context,
    *,
    objective: ObjectiveOption = None,
    average_bits: AverageBitsOption = None,
    budget: BudgetOption = None,
    lowest: LowestOption = 4,
    average: AverageOption = "layers",
    width: WidthOption = "steepest",
    rescore: RescoreOption = "lazy",
    method: MethodOption = "uniform_affine",
    loss: LossOption = "mse",
    accelerator: AcceleratorOption = FIRST_ACCELERATOR,
    overrides: SetOption = None,
    checkpoint: CheckpointOption = None,
    canvases: CanvasesOption = 16,
    size: SideOption = 112,
    seed: StreamOption = 2,
    input_px: InputOption = 224,
    ratio: LowShareOption = "0",
    cache: CacheOption = None,
    resume: ResumeOption = None,
    out: AllocationOutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Begin an allocation, or go on with one."""
    if not is_meant(context, objective, resume, out):
        return
    from mixarray_analysis.allocating.command import Manner, begin
    from mixarray_analysis.allocating.command import resume as go_on
    from mixarray_analysis.announce import be_silent
    from mixarray_analysis.models import prepare_torch

    prepare_torch()
    manner = Manner(be_silent if quiet or as_json else _say_progress, cache, force, quiet or as_json)
    if resume is not None:
        refuse_with_resume(context, (name for name in context.params if name not in FREE), "allocation")
        found = go_on(resume, manner)
    else:
        if objective is None:
            raise InputError("--objective", "is needed: bits, bops, cycles or energy")
        if out is None:
            raise InputError("--out", "is needed: the directory of the allocation")
        settings = _settings(
            objective=objective,
            average=average,
            average_bits=average_bits,
            budget=budget,
            lowest=lowest,
            width=width,
            rescore=rescore,
            method=method,
            loss=loss,
            accelerator=accelerator,
            overrides=tuple(overrides or ()),
            checkpoint=checkpoint,
            input_px=input_px,
            size_px=size,
            canvases=canvases,
            seed=seed,
            ratio=ratio,
        )
        found = begin(settings, out, manner)
    _report(found, as_json, quiet)


@app.command("compare", epilog=examples("mixarray allocate compare runs/bits runs/cycles -o runs/bits_or_cycles"))
def compare(
    *,
    directories: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Finished allocations: by bits, and by others.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory of compare.csv and paths.png, .pdf, .csv.")],
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Hold greedy by bits against the others at equal loss.

    On each accelerator, in a table and in one picture.
    """
    from mixarray_analysis.allocating.compare import comparison_values, lines_of, open_pairs, write_comparison
    from mixarray_analysis.say import say
    from mixarray_analysis.tables import to_json

    pairs = open_pairs(directories)
    files = write_comparison(pairs, out, force)
    if as_json:
        typer.echo(to_json(comparison_values(pairs)))
    elif not quiet:
        say("\n".join(line for pair in pairs for line in lines_of(pair)))
        for file in files:
            typer.echo(str(file))


def _settings(
    *,
    objective: str,
    average: str,
    average_bits: float | None,
    budget: float | None,
    lowest: int,
    width: str,
    rescore: str,
    method: str,
    loss: str,
    accelerator: str,
    overrides: tuple[str, ...],
    checkpoint: Path | None,
    input_px: int,
    size_px: int,
    canvases: int,
    seed: int,
    ratio: str,
) -> Settings:
    """What is typed as settings; InputError for what is not possible."""
    from mixarray_analysis.allocating.command import identities
    from mixarray_analysis.allocating.costs import Average, Objective
    from mixarray_analysis.allocating.greedy import Rescore
    from mixarray_analysis.allocating.losses import LossKind
    from mixarray_analysis.allocating.moves import Width
    from mixarray_analysis.allocating.settings import Settings, one_of, thousandths
    from mixarray_analysis.cli.values import read_ratio

    kinds = (
        one_of(Objective, objective, "--objective"),
        one_of(Average, average, "--average"),
        thousandths(average_bits, "--average-bits"),
        thousandths(budget, "--budget"),
    )
    rules = lowest, one_of(Width, width, "--width"), one_of(Rescore, rescore, "--rescore")
    judged = method, one_of(LossKind, loss, "--loss")
    low = read_ratio(ratio)
    model_sha256, accelerator_sha256 = identities(checkpoint, accelerator, overrides)
    place = "" if checkpoint is None else str(checkpoint)
    return Settings(
        *kinds,
        *rules,
        *judged,
        accelerator,
        overrides,
        place,
        input_px,
        size_px,
        canvases,
        seed,
        low,
        model_sha256,
        accelerator_sha256,
    )


def _report(found: Found, as_json: bool, quiet: bool) -> None:
    from mixarray_analysis.allocating.sentences import sentences
    from mixarray_analysis.say import say
    from mixarray_analysis.tables import to_json

    if as_json:
        typer.echo(to_json(found.to_json()))
    elif not quiet:
        say("\n".join(sentences(found)))


def _say_progress(line: str) -> None:
    """On stderr, beside the result, on a terminal: nobody should wonder for minutes."""
    import sys

    from mixarray_analysis.printable import printable

    if sys.stderr.isatty():
        typer.echo(printable(line), err=True)
