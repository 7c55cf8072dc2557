"""Text of other people's files as a terminal may show it."""

from __future__ import annotations

PLAIN_SIGNS = {"µ": "u", "²": "2", "·": "*"}
"""Signs of units, and how they are written where the output has no sign for them; each as wide as before."""


def printable(text: str, encoding: str = "utf-8") -> str:
    r"""The text with every character that no terminal should obey written out: `\x1b` for an escape, `\u202e`.

    Where the terminal's encoding lacks a character, a unit is spelled in ASCII (`uJ`) and the rest is written out too.
    """
    return "".join(_shown(one, encoding) for one in text)


def _shown(one: str, encoding: str) -> str:
    if one.isprintable() and _encodes(encoding, one):
        return one
    return PLAIN_SIGNS.get(one) or one.encode("unicode_escape").decode("ascii")


def _encodes(encoding: str, one: str) -> bool:
    try:
        one.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
