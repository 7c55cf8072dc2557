"""Saying something to people on stdout: in its encoding, and on a terminal within its width."""

from __future__ import annotations

import re
import shutil
import sys
from textwrap import wrap

from mixarray.trace.padding import WHOLE_BLOCK_NOTE, Padding
from mixarray_analysis.printable import printable

LABEL = re.compile(r" *\S+(?: \S+)* {2,}(?=\S)")
"""A label and the blanks that set it off from its value: what is folded goes on below the value."""
FOLDED_INDENT = 2
"""How much further a folded line starts where its first part is itself indented."""


def say(text: str = "") -> None:
    """Print lines of text; on a terminal those that are too wide are folded between words."""
    for line in text.split("\n"):
        shown = printable(line, sys.stdout.encoding or "utf-8")
        folded = fold(shown, shutil.get_terminal_size().columns) if sys.stdout.isatty() else [shown]
        sys.stdout.writelines(f"{part}\n" for part in folded)


def say_padding(padding: Padding) -> None:
    """Say it where padded positions ran through whole blocks."""
    if padding is Padding.BLOCK:
        say(f"padding {padding.value}: {WHOLE_BLOCK_NOTE}")


def fold(line: str, width: int) -> list[str]:
    """One line as lines of at most `width` characters; a word that is longer stays whole."""
    if len(line) <= width:
        return [line]
    label = LABEL.match(line)
    blanks = len(line) - len(line.lstrip(" "))
    indent = blanks + FOLDED_INDENT if blanks or label else 0
    if label is not None and len(label[0]) + max(map(len, line[len(label[0]) :].split())) <= width:
        indent = len(label[0])
    return wrap(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False, tabsize=1)
