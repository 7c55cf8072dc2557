"""Text of other people's files as a terminal may show it."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text with every character that no terminal should obey written out: `\x1b` for an escape, `\u202e`."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
