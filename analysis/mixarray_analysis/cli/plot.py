"""`mixarray plot`: the pictures of a sweep, a demo, a bundle or a single GEMM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixarray_analysis.cli.options import FIRST_ACCELERATOR, ForceOption, OutOption, QuietOption, SetOption

NAME = "plot"


def command(
    *,
    what: Annotated[str, typer.Argument(metavar="speedup|energy|accuracy|windows|utilization", help="Which picture.")],
    source: Annotated[
        Path | None, typer.Argument(help="A sweep or demo directory; for windows a bundle; for utilization none.")
    ] = None,
    image: Annotated[int, typer.Option(min=0, help="windows: which image of the bundle.")] = 0,
    picture: Annotated[
        Path | None, typer.Option(help="windows: the image file, where the bundle is of your own images.")
    ] = None,
    gemm: Annotated[str | None, typer.Option(metavar="M,N,K", help="utilization: the GEMM that runs.")] = None,
    bits: Annotated[
        str | None, typer.Option(metavar="A,W", help="utilization: activation and weight bits, such as 8,4.")
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(min=1, help="utilization: GEMMs back to back, each with its own weights.  [default: 1]"),
    ] = None,
    accelerator: Annotated[
        str | None,
        typer.Option(
            "--accelerator", "-a", help=f"utilization: shipped name or YAML file.  [default: {FIRST_ACCELERATOR}]"
        ),
    ] = None,
    overrides: SetOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw a picture: PNG, PDF and the CSV it shows (default: the picture's name, in this directory)."""
    from mixarray.errors import InputError
    from mixarray_analysis.cli.values import read_bits, read_gemm
    from mixarray_analysis.plots.draw import PLOTS, UTILIZATION, draw, draw_utilization

    if what not in (*PLOTS, UTILIZATION):
        raise InputError("plot", f"{what!r} is no picture; allowed: {', '.join((*PLOTS, UTILIZATION))}")
    place = Path(what) if out is None else out
    if what == UTILIZATION:
        if gemm is None or bits is None:
            raise InputError(
                "plot utilization", "needs --gemm M,N,K with --bits A,W, such as --gemm 49,49,32 --bits 8,8"
            )
        if source is not None or picture is not None or image:
            raise InputError("plot utilization", "is of --gemm: it takes no source, no --image and no --picture")
        from mixarray_analysis.plots.utilization import UtilizationRequest

        machine = FIRST_ACCELERATOR if accelerator is None else accelerator
        request = UtilizationRequest(read_gemm(gemm), read_bits(bits), batch or 1, machine, tuple(overrides or ()))
        files = draw_utilization(request, place, force=force)
    else:
        given = {"--gemm": gemm, "--bits": bits, "--batch": batch, "--accelerator": accelerator, "--set": overrides}
        idle = [option for option, value in given.items() if value]
        if idle:
            raise InputError(idle[0], f"belongs to the utilization; {what} is of what ran already")
        if source is None:
            raise InputError(
                "plot", f"{what} needs a source: {'a bundle' if what == 'windows' else 'a sweep or a demo'}"
            )
        files = draw(what, source, place, image=image, picture=picture, force=force)
    if not quiet:
        for file in files:
            typer.echo(str(file))
