"""`mixarray compare`: runs side by side, and whether their ranking by energy survives what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import ForceOption, JsonOption, QuietOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixarray_analysis.comparing import Comparison, Run

NAME = "compare"
EPILOG = examples(
    "mixarray compare runs/packed runs/plain",
    "mixarray compare runs/packed runs/plain --report both.html -o pairs.csv",
)


def command(
    *,
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Directories written by simulate or run.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.csv", help="Every pair under every assumption, as CSV.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.html", help="The page that `mixarray report` makes of them."),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare runs, and say whether their ranking survives.

    Cycles, energy with its band, EDP, TOPS/W; and for each pair whether the energy ranking survives. Nothing is
    simulated again: the counts in run.json are priced with every constant at the ends of its band, in both runs alike,
    and with other DRAM, SRAM, leakage and INT4 energies. Energies that differ by at most 0.1 % are equal.
    """
    from mixarray.errors import InputError
    from mixarray_analysis.comparing import compare_runs
    from mixarray_analysis.comparing_text import as_json as content
    from mixarray_analysis.files import refuse_existing
    from mixarray_analysis.tables import to_json

    if force and out is None and report is None:
        raise InputError("--force", "replaces the files of --out and --report, and there is no --out and no --report")
    refuse_existing(out, force)
    if out is not None and any(run.resolve() in out.resolve().parents for run in runs):
        raise InputError(str(out), "lies in a run, which is read; choose another file", "--out")
    read, comparisons = compare_runs(runs)
    if report is not None:
        from mixarray_analysis.report.command import write_report

        write_report(runs, report, force=force)
    if out is not None:
        _write(comparisons, out, force)
    if as_json:
        typer.echo(to_json(content(read, comparisons)))
    elif not quiet:
        _report(read, comparisons)


def _report(runs: Sequence[Run], comparisons: Sequence[Comparison]) -> None:
    from mixarray_analysis import comparing_text as text
    from mixarray_analysis.comparing_sentence import describe_pair
    from mixarray_analysis.printable import printable
    from mixarray_analysis.say import say
    from mixarray_analysis.tables import make_table, show

    show(make_table(text.TIME_HEADINGS, [text.time_cells(run) for run in runs], folds=(0, 1), left=(0, 1)))
    say()
    show(make_table(text.COST_HEADINGS, [text.cost_cells(run) for run in runs]))
    for comparison in comparisons:
        say()
        if comparison.outcomes:
            title = f"{comparison.first.name} (first) and {comparison.second.name} (second)"
            show(make_table(text.PAIR_HEADINGS, text.pair_cells(comparison), title=title))
        say(printable(describe_pair(comparison)))


def _write(comparisons: Sequence[Comparison], out: Path, force: bool) -> None:
    import csv
    import io

    from mixarray_analysis.comparing_text import COLUMNS, csv_rows
    from mixarray_analysis.files import write_text

    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(csv_rows(comparisons))
    write_text(out, text.getvalue(), force)
