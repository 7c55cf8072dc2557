"""`python -m mixarray_analysis.reproduction`: `run` makes the result files, `draw` the page from them."""

from __future__ import annotations

import argparse
import subprocess
import sys
from io import TextIOWrapper
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.say import say

DOCS = Path("docs")
MISTAKE = 2


def main(arguments: list[str]) -> int:
    """The exit code: 0 done, 1 something is still missing, 2 bad input."""
    given = _parser().parse_args(arguments)
    try:
        return _draw(given.docs) if given.what == "draw" else _run(given)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return MISTAKE


def _draw(docs: Path) -> int:
    from mixarray_analysis.reproduction.draw import draw

    for path in draw(docs):
        say(str(path))
    return 0


def _run(given: argparse.Namespace) -> int:
    from mixarray_analysis.reproduction.drive import chosen, drive
    from mixarray_analysis.reproduction.runs import Places, command_line, every_run

    places = Places(given.work, given.docs / "reproduction" / "results", given.n, given.images, given.batch)
    if given.list:
        for run in chosen(every_run(), given.only):
            say(f"{run.name}: {command_line(run, places)}")
        return 0
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what is said comes before what the commands say
    places.work.mkdir(parents=True, exist_ok=True)

    return 0 if drive(every_run(), places, subprocess.call, say, given.only, given.most) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mixarray_analysis.reproduction", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    run = commands.add_parser("run", help="run the commands whose results are missing, one after another (hours)")
    run.add_argument("--work", type=Path, default=Path("runs/reproduction"), help="models, bundles, searches")
    run.add_argument("--n", type=int, default=500, help="canvases of an evaluation; results on fewer are made again")
    run.add_argument("--images", type=int, default=32_000, help="canvases of one training")
    run.add_argument("--batch", type=int, default=16, help="canvases of a training step")
    run.add_argument("--only", action="append", default=[], help="a run, or all of a model, by name (repeatable)")
    run.add_argument("--most", type=int, help="start so many commands at most")
    run.add_argument("--list", action="store_true", help="print names and commands, run nothing")
    draw = commands.add_parser("draw", help="write docs/reproduction.md and its figures from the results (seconds)")
    for command in (run, draw):
        command.add_argument("--docs", type=Path, default=DOCS, help="where reproduction/ and the page are")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
