"""`mixarray plot`: the pictures of a sweep, a demo or a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixarray_analysis.cli.options import ForceOption, OutOption, QuietOption

NAME = "plot"


def command(
    *,
    what: Annotated[str, typer.Argument(metavar="speedup|energy|accuracy|windows", help="Which picture.")],
    source: Annotated[Path, typer.Argument(help="A sweep or demo directory; for windows a bundle.")],
    image: Annotated[int, typer.Option(min=0, help="windows: which image of the bundle.")] = 0,
    picture: Annotated[
        Path | None, typer.Option(help="windows: the image file, where the bundle is of your own images.")
    ] = None,
    out: OutOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw a picture: PNG, PDF and the CSV it shows (default: the picture's name, in this directory)."""
    from mixarray_analysis.plots.draw import PLOTS, draw

    if what not in PLOTS:
        from mixarray.errors import InputError

        raise InputError("plot", f"{what!r} is no picture; allowed: {', '.join(PLOTS)}")
    files = draw(what, source, Path(what) if out is None else out, image=image, picture=picture, force=force)
    if not quiet:
        for file in files:
            typer.echo(str(file))
