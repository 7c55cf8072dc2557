"""`python -m mixarray_analysis.method_comparison`: `run` makes the result files, `draw` the page from them."""

from __future__ import annotations

import argparse
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
        match given.what:
            case "draw":
                return _draw(given.docs)
            case "cost":
                return _cost(given.bundle, given.accelerators.split(","), given.out)
            case "transfer":
                return _transfer(given.allocation, given.shape, given.out)
            case _:
                return _run(given)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return MISTAKE


def _draw(docs: Path) -> int:
    from mixarray_analysis.method_comparison.draw import draw

    for path in draw(docs):
        say(str(path))
    return 0


def _cost(bundle: Path, machines: list[str], out: Path) -> int:
    from mixarray.trace.bundle import read_bundle
    from mixarray_analysis.method_comparison.cost import write_costs

    say(str(write_costs(read_bundle(bundle), machines, out)))
    return 0


def _transfer(source: Path, shape: str, out: Path) -> int:
    from mixarray_analysis.method_comparison.transfer import transferred
    from mixarray_traces.quantization.allocation import read_allocation, write_allocation
    from mixarray_traces.record.shape import shape_named

    out.parent.mkdir(parents=True, exist_ok=True)
    write_allocation(transferred(read_allocation(source), shape_named(shape).depths), out)
    say(str(out))
    return 0


def _run(given: argparse.Namespace) -> int:
    from mixarray_analysis.method_comparison.runs import every_run
    from mixarray_analysis.method_comparison.timing import timed_call
    from mixarray_analysis.reproduction.drive import chosen, drive
    from mixarray_analysis.reproduction.runs import Places, command_line

    places = Places(given.work, given.docs / "methods" / "results", given.n)
    if given.list:
        for run in chosen(every_run(), given.only):
            say(f"{run.name}: {command_line(run, places)}")
        return 0
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what is said comes before what the commands say
    places.work.mkdir(parents=True, exist_ok=True)
    return 0 if drive(every_run(), places, timed_call, say, given.only, given.most) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mixarray_analysis.method_comparison", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    run = commands.add_parser("run", help="run the commands whose results are missing, one after another (hours)")
    run.add_argument("--work", type=Path, default=Path("runs/methods"), help="allocations, models, bundles")
    run.add_argument("--n", type=int, default=500, help="canvases of an evaluation; results on fewer are made again")
    run.add_argument("--only", action="append", default=[], help="a run, or all of a model, by name (repeatable)")
    run.add_argument("--most", type=int, help="start so many commands at most")
    run.add_argument("--list", action="store_true", help="print names and commands, run nothing")
    draw = commands.add_parser("draw", help="write docs/methods.md and its figure from the results (seconds)")
    for command in (run, draw):
        command.add_argument("--docs", type=Path, default=DOCS, help="where methods/ and the page are")
    cost = commands.add_parser("cost", help="what a bundle costs on accelerators, as the page wants it")
    cost.add_argument("bundle", type=Path)
    cost.add_argument("-a", "--accelerators", required=True, help="names or files, with commas")
    transfer = commands.add_parser("transfer", help="bits of one model's layers on those of a published Swin")
    transfer.add_argument("allocation", type=Path)
    transfer.add_argument("--shape", required=True, help="swin_t, swin_s or swin_b")
    for command in (cost, transfer):
        command.add_argument("-o", "--out", type=Path, required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
