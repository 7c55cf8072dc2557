"""Examples below the options of `--help`: one form for every command."""

from __future__ import annotations

from textwrap import wrap

HEADING = "Examples:"
WIDTH = 72
"""Columns of an example, so that it fits a terminal of 80 with its indent."""
CONTINUED = " \\\n      "


def examples(*commands: str) -> str:
    """The epilog of a command: whole command lines, each continued by a backslash where it is too wide.

    The line of `\\b` keeps the lines as they are; Typer would run them together.
    """
    lines = (CONTINUED.join(wrap(one, WIDTH, break_long_words=False, break_on_hyphens=False)) for one in commands)
    return "\n".join(("\b", HEADING, *(f"  {line}" for line in lines)))


def commands_of(epilog: str) -> tuple[str, ...]:
    """The command lines of an epilog that `examples` made, each on one line; none of any other epilog."""
    text = epilog.partition(f"{HEADING}\n")[2].partition("\n\n")[0]
    return tuple(line.strip() for line in text.replace(CONTINUED, " ").splitlines())
