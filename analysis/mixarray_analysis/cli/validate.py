"""`mixarray validate`: every layer against something independent of it, in one table."""

from __future__ import annotations

from typing import Annotated

import typer

from mixarray_analysis.cli.options import ForceOption, JsonOption, OutOption, QuietOption, SeedOption

NAME = "validate"


def command(
    *,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Checks or groups, such as rtl (default: all).")
    ] = None,
    cases: Annotated[int | None, typer.Option(min=1, help="Cases per check (default: its own number).")] = None,
    mutants: Annotated[bool, typer.Option("--mutants", help="Also plant deliberate faults in each check.")] = False,
    seed: SeedOption = 0,
    listing: Annotated[bool, typer.Option("--list", help="List the checks and run none.")] = False,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Compare the simulator with RTL, closed forms, PyTorch, SCALE-Sim: cases, mismatches, verdict.

    Exit code 0 if every check that ran holds, 1 if one fails or misses a planted fault, 2 if a check that was named
    cannot run here.
    """
    from contextlib import ExitStack

    from mixarray.atomic import ResultKind, atomic_directory
    from mixarray_analysis.tables import show
    from mixarray_analysis.validation.checks import all_checks
    from mixarray_analysis.validation.report import checks_json, checks_table, findings_json, findings_table, remarks
    from mixarray_analysis.validation.runner import Verdict, refuse_missing, run_checks, select_checks

    chosen = select_checks(names or (), all_checks())
    if listing:
        if as_json:
            typer.echo(checks_json(chosen))
        else:
            show(checks_table(chosen))
        return 0
    refuse_missing(names or (), all_checks())
    with ExitStack() as stack:
        work = stack.enter_context(atomic_directory(out, ResultKind.VALIDATION, force)) if out else None
        findings = run_checks(chosen, seed, cases, mutants, quiet)
        text = findings_json(findings, seed)
        if work:
            (work / ResultKind.VALIDATION).write_text(f"{text}\n", encoding="utf-8")
    if as_json:
        typer.echo(text)
    elif not quiet:
        show(findings_table(findings))
        for line in remarks(findings):
            typer.echo(line)
    return int(any(finding.verdict is Verdict.FAILS for finding in findings))
