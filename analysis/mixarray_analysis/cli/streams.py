"""The process's stdout: every character can be written, and one that takes nothing more does not end in a traceback."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from pathlib import Path

MACHINE_REFUSES = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE,
})  # fmt: skip
"""Errors of writing that are the machine's: a full disk, a quota, a folder without permission."""
ESCAPED = "mixarray-escaped"
"""How stdout writes what its encoding lacks: as JSON escapes it, so that JSON stays JSON."""


def prepare_streams() -> None:
    """Let stdout write any text; where there is no stdout (`>&-`), what goes there goes nowhere."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  it lives as long as the process
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=ESCAPED)


def discard_unwritten() -> None:
    """Let stdout forget what it cannot write, so that the end of the process does not try it again."""
    stdout = sys.__stdout__
    if stdout is None:
        return
    try:
        stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        stdout.flush()


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in pairs), error.end


codecs.register_error(ESCAPED, _escaped)
