"""Saying which command a step is, or not."""

from __future__ import annotations

import sys

from mixarray_analysis.printable import printable


def announce(command: str) -> None:
    """Print a command as one would type it."""
    sys.stdout.write(f"$ {printable(command)}\n")
    sys.stdout.flush()


def be_silent(command: str) -> None:
    """Say nothing."""
