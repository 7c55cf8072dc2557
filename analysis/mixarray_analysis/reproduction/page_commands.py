"""The command line of a page made from committed results: `run` makes the result files, `draw` the page from them."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.reproduction.drive import Execute, chosen, drive
from mixarray_analysis.reproduction.runs import Places, Run, command_line
from mixarray_analysis.say import say

DOCS = Path("docs")
MISTAKE = 2
RUN_HELP = "run the commands whose results are missing, one after another (hours)"


def exit_code(act: Callable[[Namespace], int], given: Namespace) -> int:
    """What `act` answers, or 2 for bad input, which is said in one line."""
    try:
        return act(given)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return MISTAKE


def say_written(paths: Iterable[Path]) -> int:
    """Name the files that were written, one a line."""
    for path in paths:
        say(str(path))
    return 0


def run_missing(given: Namespace, runs: Sequence[Run], places: Places, execute: Execute) -> int:
    """Run what is missing of what was asked for, or list it; 1 where something is missing still."""
    if given.list:
        for run in chosen(runs, given.only):
            say(f"{run.name}: {command_line(run, places)}")
        return 0
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what is said comes before what the commands say
    places.work.mkdir(parents=True, exist_ok=True)
    return 0 if drive(runs, places, execute, say, given.only, given.most) else 1


def add_options(
    run: ArgumentParser, draw: ArgumentParser, home: str, holds: str, numbers: Sequence[tuple[str, int, str]] = ()
) -> None:
    """The options of both commands.

    home: the directory of the documentation that holds the results. holds: what a run leaves in its working directory.
    numbers: name, default and help of what else a run is told.
    """
    run.add_argument("--work", type=Path, default=Path("runs") / home, help=holds)
    run.add_argument("--n", type=int, default=500, help="canvases of an evaluation; results on fewer are made again")
    for name, default, about in numbers:
        run.add_argument(name, type=int, default=default, help=about)
    run.add_argument("--only", action="append", default=[], help="a run, or all of a model, by name (repeatable)")
    run.add_argument("--most", type=int, help="start so many commands at most")
    run.add_argument("--list", action="store_true", help="print names and commands, run nothing")
    for command in (run, draw):
        command.add_argument("--docs", type=Path, default=DOCS, help=f"where {home}/ and the page are")
