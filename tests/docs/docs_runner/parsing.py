"""Does the command line know a command that a page shows? Options, choices and sub-commands; nothing is run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cache
from typing import Any

import typer
from typer.main import get_command

from docs_runner.reader import DocsError
from mixarray_analysis.cli import app

PROGRAM = "mixarray"
ENDS_AT_ONCE = {"--help", "-h", "--version", "--install-completion", "--show-completion"}
ENDS_WORDS = {"|", ">", ">>", "&&", ";", "||", "2>"}


def check_command(where: str, line: str) -> bool:
    """Whether the line is a command of mixarray; DocsError where it is one that the command line would refuse."""
    words = shlex.split(line, comments=True)
    if not words or words[0] != PROGRAM:
        return False
    end = next((at for at, word in enumerate(words) if word in ENDS_WORDS), len(words))
    given = [word for word in words[1:end] if word not in ENDS_AT_ONCE]
    try:
        _resolve(_program(), PROGRAM, given, None)
    except typer.TyperException as error:
        raise DocsError(where, f"{line}: {error.format_message()}") from None
    return True


@cache
def _program() -> Any:
    """All commands; building them takes a while."""
    return get_command(app)


def _resolve(command: Any, name: str, given: Sequence[str], parent: Any) -> None:
    """Parse what is given, down to the last sub-command; Typer keeps the types of commands to itself."""
    context = command.make_context(name, list(given), parent=parent)
    below = [*getattr(context, "_protected_args", ()), *context.args]
    if hasattr(command, "resolve_command") and below:
        name, command, rest = command.resolve_command(context, below)
        _resolve(command, name, rest, context)
