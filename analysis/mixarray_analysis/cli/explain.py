"""`mixarray explain`: where the promised speedup of a run went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray_analysis.cli.completion import complete_accelerators
from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import FIRST_ACCELERATOR, ForceOption, JsonOption, OutOption, QuietOption, SetOption

if TYPE_CHECKING:
    from mixarray_analysis.explaining import Explanation

NAME = "explain"
EPILOG = examples(
    "mixarray explain runs/simulated -o runs/why",
    "mixarray explain runs/bundle -a packed_w4_32x32,plain_int8_32x32",
)


def command(
    *,
    source: Annotated[Path, typer.Argument(help="A run that `simulate` or `run` wrote, or a bundle.")],
    against: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Compare a run with this one, on the same arrays (default: with ratio 0)."),
    ] = None,
    moved: Annotated[
        Path | None, typer.Option("--bundle", metavar="DIR", help="Where the bundle of a run is now, if it was moved.")
    ] = None,
    against_moved: Annotated[
        Path | None,
        typer.Option("--against-bundle", metavar="DIR", help="The same for the bundle of the run of --against."),
    ] = None,
    accelerator: Annotated[
        str | None,
        typer.Option(
            "--accelerator",
            "-a",
            metavar="A,B",
            help="For a bundle: accelerators to see side by side, shipped names or YAML files.  "
            f"[default: {FIRST_ACCELERATOR}]",
            autocompletion=complete_accelerators,
        ),
    ] = None,
    overrides: SetOption = None,
    image: Annotated[
        int | None, typer.Option(min=0, help="For a bundle: only this image of it (default: all).")
    ] = None,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show where the promised speedup went.

    Step by step from published BOPs to simulated cycles. SOURCE is run again, and its baseline (ratio 0 on the same
    accelerator) beside it, with the effects of the machine turned on one by one: a table of these steps, a table of the
    units that the cycles went to, and three sentences. --out writes waterfall.png, .pdf and .csv, attribution.csv and
    explain.json; --quiet needs it, or --json.
    """
    from mixarray.errors import InputError
    from mixarray_analysis.cli.values import split_list
    from mixarray_analysis.explain_command import Request, explain_source, is_run, write_explanations
    from mixarray_analysis.tables import to_json
    from mixarray_analysis.waterfall_tables import explanation_values

    if quiet and out is None and not as_json:
        raise InputError("--quiet", "leaves nothing of the explanation without --out or --json")
    wanted = accelerator if accelerator is not None or is_run(source) else FIRST_ACCELERATOR
    machines = () if wanted is None else split_list(wanted, "--accelerator")
    request = Request(source, against, moved, against_moved, machines, tuple(overrides or ()), image)
    found = write_explanations(request, out, force, quiet) if out is not None else explain_source(request, quiet)
    if as_json:
        typer.echo(to_json(explanation_values(found)))
    elif not quiet:
        _report(found)


def _report(found: list[Explanation]) -> None:
    import shutil
    import sys

    from mixarray_analysis.printable import printable
    from mixarray_analysis.say import say
    from mixarray_analysis.tables import NARROWEST_TABLE, show
    from mixarray_analysis.waterfall_sentences import tell
    from mixarray_analysis.waterfall_tables import attribution_table, waterfall_table

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else NARROWEST_TABLE
    for one in found:
        machine = one.subject.accelerator
        head = f"{printable(one.subject.name)} on {machine.name}, mapping search {machine.mapping.search}"
        say(f"{head}, against {printable(one.reference.name)}")
        for field in one.machine_differs:
            say(printable(f"  not the same machine: {field.path}: {field.ours} here, {field.theirs} there"))
        show(waterfall_table(one, width))
        say()
        show(attribution_table(one))
        say()
        for sentence in tell(one):
            say(printable(sentence))
        say()
