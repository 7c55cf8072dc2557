"""`mixarray plot`: the pictures of runs, sweeps, searches, bundles or a single GEMM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray_analysis.cli.completion import complete_accelerators
from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import FIRST_ACCELERATOR, ForceOption, JobsOption, OutOption, QuietOption, SetOption
from mixarray_analysis.plots.names import Cost, Kind

if TYPE_CHECKING:
    from mixarray_analysis.plots.frames.gemm import GemmRequest

NAME = "plot"
EPILOG = examples(
    "mixarray plot speedup runs/demo",
    "mixarray plot latency runs/packed runs/plain --paper -o latency",
    "mixarray plot utilization --gemm 49,49,32 --bits 8,8",
)


KindArgument = Annotated[Kind, typer.Argument(help="Which picture.", show_default=False)]
SourcesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="SOURCE",
        help="What it is of. speedup, ratios: a sweep or demo. pareto, accuracy: a sweep of ratios, demo or "
        "search. latency, energy: runs beside each other, a sweep of ratios or demo. waterfall: a run, bundle or "
        "explanation. roofline, tornado: a run. utilization: a run, a sweep of array shapes, or none and --gemm. "
        "windows: a bundle.",
    ),
]
PaperOption = Annotated[bool, typer.Option("--paper", help="As wide as a column of a paper, 3.3 inches.")]
CostOption = Annotated[
    Cost | None,
    typer.Option("--x", help="pareto: only this panel; tornado: latency or energy.", show_default=False),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN=VALUE", help="Of a sweep: only these points (repeatable), e.g. rows=32."),
]
ImageOption = Annotated[int, typer.Option(min=0, help="windows: which image of the bundle.")]
PictureOption = Annotated[
    Path | None, typer.Option(help="windows: the image file, where the bundle is of your own images.")
]
GemmOption = Annotated[str | None, typer.Option(metavar="M,N,K", help="utilization: the GEMM that runs.")]
BitsOption = Annotated[
    str | None, typer.Option(metavar="A,W", help="utilization: activation and weight bits, such as 8,4.")
]
BatchOption = Annotated[
    int | None,
    typer.Option(min=1, help="utilization: GEMMs back to back, each with its own weights.  [default: 1]"),
]
AcceleratorsOption = Annotated[
    str | None,
    typer.Option(
        "--accelerator",
        "-a",
        metavar="A,B",
        help="waterfall of a bundle, utilization of a GEMM: shipped names or YAML files.  "
        f"[default: {FIRST_ACCELERATOR}]",
        autocompletion=complete_accelerators,
    ),
]


def command(
    *,
    kind: KindArgument,
    sources: SourcesArgument = None,
    paper: PaperOption = False,
    cost: CostOption = None,
    where: WhereOption = None,
    image: ImageOption = 0,
    picture: PictureOption = None,
    gemm: GemmOption = None,
    bits: BitsOption = None,
    batch: BatchOption = None,
    accelerators: AcceleratorsOption = None,
    overrides: SetOption = None,
    jobs: JobsOption = 0,
    out: OutOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw a picture: PNG, PDF and the CSV that it shows.

    Without -o they have the name of KIND and lie in this directory. tornado simulates the run again for
    each field of its accelerator: half and twice of numbers, other choices (--set changes it first).
    """
    from mixarray_analysis.cli.values import split_list
    from mixarray_analysis.plots.draw import draw
    from mixarray_analysis.plots.request import Request
    from mixarray_analysis.plots.style import DEMO, PAPER

    given = {
        "--gemm": (gemm, "gemm"),
        "--bits": (bits, "gemm"),
        "--batch": (batch, "gemm"),
        "--accelerator": (accelerators, "accelerators"),
        "--set": (overrides, "overrides"),
        "--where": (where, "where"),
        "--x": (cost, "cost"),
        "--jobs": (jobs, "jobs"),
        "--image": (image, "image"),
        "--picture": (picture, "picture"),
    }
    machines = split_list(FIRST_ACCELERATOR if accelerators is None else accelerators, "--accelerator")
    request = Request(
        sources=tuple(sources or ()),
        size=PAPER if paper else DEMO,
        image=image,
        picture=picture,
        gemm=_gemm(kind, gemm, bits, batch, machines, tuple(overrides or ())),
        cost=cost,
        accelerators=machines,
        overrides=tuple(overrides or ()),
        where=tuple(where or ()),
        jobs=jobs,
        quiet=quiet,
    )
    typed = {option: field for option, (value, field) in given.items() if value}
    drawn = draw(kind, request, Path(kind.value) if out is None else out, force, typed)
    if not quiet:
        for line in (*map(str, drawn.files), *drawn.notes):
            typer.echo(line)


def _gemm(
    kind: Kind,
    gemm: str | None,
    bits: str | None,
    batch: int | None,
    accelerators: tuple[str, ...],
    overrides: tuple[str, ...],
) -> GemmRequest | None:
    """The GEMM that is asked for, None where it is not, or by a kind that takes none.

    Raises InputError where half of it is missing.
    """
    from mixarray.errors import InputError
    from mixarray_analysis.cli.values import read_bits, read_gemm
    from mixarray_analysis.plots.frames.gemm import GemmRequest

    if kind is not Kind.UTILIZATION or (gemm is None and bits is None and batch is None):
        return None
    if gemm is None or bits is None:
        raise InputError("plot utilization", "needs --gemm M,N,K with --bits A,W, such as --gemm 49,49,32 --bits 8,8")
    accelerator, *others = accelerators
    if others:
        raise InputError("--accelerator", f"utilization is of one accelerator; {', '.join(others)} is too much")
    return GemmRequest(read_gemm(gemm), read_bits(bits), batch or 1, accelerator, overrides)
