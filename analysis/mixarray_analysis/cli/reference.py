"""The reference of all commands: docs/commands.md, its lower part written from the command line itself.

`make commands` rewrites the page; a test holds it equal to what the commands say today.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from mixarray.errors import InputError
from mixarray_analysis.cli import app
from mixarray_analysis.files import write_text

WIDTH = 100
"""Columns of the help texts on the page."""
MARK = "<!-- From here on written by `make commands`. -->"


@dataclass(frozen=True, slots=True)
class Command:
    """One command as a user types it.

    path: its words, from `mixarray` on. summary: its line in the list of commands. text: what `--help` prints, without
    the last line break. epilog: what stands below the options, examples among it. options: every spelling of each.
    """

    path: str
    summary: str
    text: str
    epilog: str
    options: frozenset[str]


def every_command() -> tuple[Command, ...]:
    """All commands, `mixarray` itself first, in the order in which `--help` lists them."""
    root = get_command(app)
    return tuple(_walk(root.make_context("mixarray", [], resilient_parsing=True, terminal_width=WIDTH)))


def commands_page(page: str) -> str:
    """A page whose lower part is written anew; InputError where the line that begins this part is missing."""
    head, mark, _ = page.partition(MARK)
    if not mark:
        raise InputError("commands.md", f"lacks the line {MARK!r}")
    return f"{head}{MARK}\n\n{_table(every_command())}\n{_sections(every_command())}"


def _walk(context: Any) -> Iterator[Command]:
    """The command of a context and those below it; Typer keeps the type of both to itself."""
    command = context.command
    spellings = frozenset(name for option in command.get_params(context) for name in option.opts)
    text = command.get_help(context).rstrip()
    yield Command(context.command_path, command.get_short_help_str(WIDTH), text, command.epilog or "", spellings)
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from _walk(type(context)(below, info_name=name, parent=context))


def _table(commands: tuple[Command, ...]) -> str:
    rows = [
        f"| [`{one.path}`](#{one.path.replace(' ', '-')}) | {one.summary} | {'yes' * ('--json' in one.options)} |"
        for one in commands[1:]
    ]
    return "\n".join(("| command | | `--json` |", "|---|---|---|", *rows)) + "\n"


def _sections(commands: tuple[Command, ...]) -> str:
    return "\n".join(f"## {one.path}\n\n```text\n{one.text}\n```\n" for one in commands)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    write_text(target, commands_page(target.read_text(encoding="utf-8")), force=True)
