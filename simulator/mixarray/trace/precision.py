"""Uniform precisions as reports write them: W4A8."""

from __future__ import annotations

import re

from mixarray.errors import InputError


def parse_precision(text: str, where: str, field: str | None = None) -> tuple[int, int]:
    """(activation bits, weight bits): `W4A8` is (8, 4). Raises InputError at `where` and `field`."""
    found = re.fullmatch(r"[Ww](\d{1,2})[Aa](\d{1,2})", text)
    if found is None:
        raise InputError(where, f"{text!r} is not W<weight bits>A<activation bits>, such as W4A8", field)
    return int(found[2]), int(found[1])
