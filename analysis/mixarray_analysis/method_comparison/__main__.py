"""`python -m mixarray_analysis.method_comparison`: `run` makes the result files, `draw` the page from them."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from mixarray_analysis.reproduction.page_commands import RUN_HELP, add_options, exit_code, run_missing, say_written


def main(arguments: list[str]) -> int:
    """The exit code: 0 done, 1 something is still missing, 2 bad input."""
    return exit_code(_act, _parser().parse_args(arguments))


def _act(given: Namespace) -> int:
    match given.what:
        case "draw":
            from mixarray_analysis.method_comparison.draw import draw

            return say_written(draw(given.docs))
        case "cost":
            return say_written([_cost(given.bundle, given.accelerators.split(","), given.out)])
        case "transfer":
            return say_written([_transfer(given.allocation, given.shape, given.out)])
        case _:
            return _run(given)


def _cost(bundle: Path, machines: list[str], out: Path) -> Path:
    from mixarray.trace.bundle import read_bundle
    from mixarray_analysis.method_comparison.cost import write_costs

    return write_costs(read_bundle(bundle), machines, out)


def _transfer(source: Path, shape: str, out: Path) -> Path:
    from mixarray_analysis.method_comparison.transfer import transferred
    from mixarray_traces.quantization.allocation import read_allocation, write_allocation
    from mixarray_traces.record.shape import shape_named

    out.parent.mkdir(parents=True, exist_ok=True)
    write_allocation(transferred(read_allocation(source), shape_named(shape).depths), out)
    return out


def _run(given: Namespace) -> int:
    from mixarray_analysis.method_comparison.runs import every_run
    from mixarray_analysis.method_comparison.timing import timed_call
    from mixarray_analysis.reproduction.runs import Places

    places = Places(given.work, given.docs / "methods" / "results", given.n)
    return run_missing(given, every_run(), places, timed_call)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="mixarray_analysis.method_comparison", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    run = commands.add_parser("run", help=RUN_HELP)
    draw = commands.add_parser("draw", help="write docs/methods.md and its figure from the results (seconds)")
    add_options(run, draw, "methods", "allocations, models, bundles")
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
