"""`mixarray report`: runs and sweeps as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import ForceOption, QuietOption

NAME = "report"
EPILOG = examples(
    "mixarray report runs/simulated",
    "mixarray report runs/simulated runs/why -o with_waterfall.html",
    "mixarray report runs/sweep -o sweep.html",
)


def command(
    *,
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="RUN|SWEEP|EXPLANATION...", help="Directories that simulate, sweep or explain wrote."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.html", help="The page.")] = Path("report.html"),
    image: Annotated[
        int | None, typer.Option(min=0, help="Image whose windows are shown (default: the run's first).")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="The image file, where a bundle is of your own images.")] = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write runs and sweeps as one HTML page.

    It opens anywhere: no network, no other files, under 8 MB. Of a run: summary, waterfall, layers, windows, timeline,
    config and provenance. Several runs are compared, as by `compare`. Of a sweep: its points and their Pareto fronts.
    What is not there names the command that makes it; an EXPLANATION (`explain -o`) belongs to the run it explains.
    """
    from mixarray_analysis.report.command import write_report

    written = write_report(sources, out, image=image, picture=picture, force=force)
    if not quiet:
        typer.echo(str(written))
