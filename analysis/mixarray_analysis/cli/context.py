"""What a command asks of its context: which options were typed, and whether it is meant itself or one below it."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from mixarray.errors import InputError


def was_typed(context: typer.Context, name: str) -> bool:
    """Whether a parameter has its value from the command line, and not by default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def is_meant(context: typer.Context, *needed: object) -> bool:
    """Whether a command with others below it is to work itself; prints its help where nothing of `needed` was given.

    Raises InputError where options stand before a command below it, which would not see them.
    """
    if context.invoked_subcommand is not None:
        for name in context.params:
            if was_typed(context, name):
                where = f"{context.info_name} {context.invoked_subcommand}"
                raise InputError(where, f"takes its options behind its name; {name} stands before it")
        return False
    if all(value is None for value in needed):
        typer.echo(context.get_help())
        return False
    return True


def refuse_with_resume(context: typer.Context, fixed: Iterable[str], work: str) -> None:
    """Raise InputError where a parameter of `fixed` is typed, which the stopped work decides itself."""
    for name in fixed:
        if was_typed(context, name):
            raise InputError("--resume", f"goes on with the settings of the stopped {work}: leave out what sets {name}")
