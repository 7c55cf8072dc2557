"""Saying which command a step is, or not."""

from __future__ import annotations

import sys
from collections.abc import Callable

from mixarray_analysis.printable import printable


def announcer(quiet: bool) -> Callable[[str], None]:
    """What tells the commands: aloud on a terminal, silent off one, where they would stand among the results."""
    return be_silent if quiet or not sys.stdout.isatty() else announce


def announce(command: str) -> None:
    """Print a command as one would type it."""
    sys.stdout.write(f"$ {printable(command)}\n")
    sys.stdout.flush()


def be_silent(command: str) -> None:
    """Say nothing."""
