"""`python -m mixarray_analysis.reproduction`: `run` makes the result files, `draw` the page from them."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser, Namespace

from mixarray_analysis.reproduction.page_commands import RUN_HELP, add_options, exit_code, run_missing, say_written


def main(arguments: list[str]) -> int:
    """The exit code: 0 done, 1 something is still missing, 2 bad input."""
    return exit_code(_act, _parser().parse_args(arguments))


def _act(given: Namespace) -> int:
    if given.what == "draw":
        from mixarray_analysis.reproduction.draw import draw

        return say_written(draw(given.docs))
    from mixarray_analysis.reproduction.runs import Places, every_run

    places = Places(given.work, given.docs / "reproduction" / "results", given.n, given.images, given.batch)
    return run_missing(given, every_run(), places, subprocess.call)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="mixarray_analysis.reproduction", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    run = commands.add_parser("run", help=RUN_HELP)
    draw = commands.add_parser("draw", help="write docs/reproduction.md and its figures from the results (seconds)")
    numbers = ("--images", 100_000, "canvases of one training"), ("--batch", 16, "canvases of a training step")
    add_options(run, draw, "reproduction", "models, bundles, searches", numbers)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
