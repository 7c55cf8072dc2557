"""`mixarray validate`: every layer against something independent of it, in one table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import ForceOption, JsonOption, OutOption, QuietOption, SeedOption

if TYPE_CHECKING:
    from mixarray_analysis.validation.check import Check
    from mixarray_analysis.validation.runner import Finding

NAME = "validate"
EPILOG = examples(
    "mixarray validate",
    "mixarray validate rtl --mutants",
    "mixarray validate --list",
)


def command(
    *,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Checks or groups, such as rtl (default: all).")
    ] = None,
    cases: Annotated[int | None, typer.Option(min=1, help="Cases per check (default: its own number).")] = None,
    mutants: Annotated[bool, typer.Option("--mutants", help="Also plant deliberate faults in each check.")] = False,
    seed: SeedOption = 0,
    listing: Annotated[bool, typer.Option("--list", help="List the checks and run none.")] = False,
    page: Annotated[
        Path | None, typer.Option(help="Run every check with its faults and write the validation page (Markdown).")
    ] = None,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Hold the simulator against what is independent of it.

    RTL, closed forms, PyTorch, other simulators, published figures. One table: cases, mismatches, verdict. Exit code 0
    if every check that ran holds, 1 if one fails or misses a planted fault, 2 if a check that was named cannot run
    here.
    """
    from mixarray.errors import InputError
    from mixarray_analysis.validation.checks import all_checks
    from mixarray_analysis.validation.runner import refuse_missing, select_checks

    chosen = select_checks(names or (), all_checks())
    if listing:
        idle = {
            "--cases": cases,
            "--mutants": mutants,
            "--seed": seed,
            "--out": out,
            "--page": page,
            "--force": force,
            "--quiet": quiet,
        }
        if given := [option for option, value in idle.items() if value]:
            raise InputError("--list", f"runs no check: {', '.join(given)} would be idle")
        _list(chosen, as_json)
        return 0
    if force and out is None and page is None:
        raise InputError("--force", "replaces the result at --out or the page, and there is neither")
    if page is not None:
        _check_page(page, force, names, cases, seed)
    refuse_missing(names or (), all_checks())
    findings, code = _run(chosen, cases, mutants or page is not None, seed, out, force, as_json, quiet)
    if page is not None:
        _write_page(page, findings, quiet)
    return code


def _check_page(page: Path, force: bool, names: Sequence[str] | None, cases: int | None, seed: int) -> None:
    """Refuse what would make a page of other checks, or of other cases, than everybody else's."""
    from mixarray.errors import InputError
    from mixarray_analysis.validation.page import check_page

    other = {"NAME": names, "--cases": cases, "--seed": seed}
    if given := [option for option, value in other.items() if value]:
        raise InputError("--page", f"shows every check as it is by itself: not together with {', '.join(given)}")
    check_page(page, force)


def _write_page(page: Path, findings: Sequence[Finding], quiet: bool) -> None:
    from mixarray_analysis.progress import progress_bar
    from mixarray_analysis.validation.page import context_tables, page_text, write_page

    with progress_bar("context", quiet):
        context = context_tables()
    write_page(page, page_text(findings, context))


def _list(chosen: Sequence[Check], as_json: bool) -> None:
    from mixarray_analysis.tables import show
    from mixarray_analysis.validation.report import WIDTH, checks_json, checks_table

    if as_json:
        typer.echo(checks_json(chosen))
    else:
        show(checks_table(chosen), WIDTH)


def _run(
    chosen: Sequence[Check],
    cases: int | None,
    mutants: bool,
    seed: int,
    out: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> tuple[Sequence[Finding], int]:
    """Run, write and print; what was finished is printed even if someone stops the command. Also the exit code."""
    from contextlib import nullcontext

    from mixarray.atomic import ResultKind, atomic_directory
    from mixarray_analysis.say import say
    from mixarray_analysis.validation.report import findings_json, finished_line
    from mixarray_analysis.validation.runner import Verdict, run_checks

    findings: list[Finding] = []

    def finished(finding: Finding, seconds: float) -> None:
        findings.append(finding)
        if not quiet and not sys.stderr.isatty():
            typer.echo(finished_line(finding, seconds), err=True)

    try:
        with atomic_directory(out, ResultKind.VALIDATION, force) if out else nullcontext() as work:
            run_checks(chosen, seed, cases, mutants, quiet, finished)
            text = findings_json(findings, seed)
            if work:
                (work / ResultKind.VALIDATION).write_text(f"{text}\n", encoding="utf-8")
    except KeyboardInterrupt:
        if findings and not quiet and not as_json:
            _print(findings)
            say(f"stopped after {len(findings)} of {len(chosen)} checks")
        raise
    if as_json:
        typer.echo(text)
    elif not quiet:
        _print(findings)
    return findings, int(any(finding.verdict is Verdict.FAILS for finding in findings))


def _print(findings: Sequence[Finding]) -> None:
    from mixarray_analysis.say import say
    from mixarray_analysis.tables import show
    from mixarray_analysis.validation.report import WIDTH, findings_table, remarks

    show(findings_table(findings), WIDTH)
    for line in remarks(findings):
        say(line)
