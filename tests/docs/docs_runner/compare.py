"""Is what a page shows what was printed? Line by line; a line `...` stands for any lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

ANYTHING = "..."
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def agrees(shown: str, printed: str, tolerance: float = 0.0, *, excerpt: bool = False) -> bool:
    """Whether the text was printed; blanks at line ends do not count.

    tolerance: share by which numbers may differ; where it is not 0, runs of blanks are one. excerpt: other lines may
    come before and behind.
    """
    wanted, found = shown.rstrip().splitlines(), printed.rstrip().splitlines()
    if excerpt:
        wanted = [ANYTHING, *wanted, ANYTHING]
    parts = [list(part) for anything, part in groupby(wanted, ANYTHING.__eq__) if not anything]
    at = 0
    for index, part in enumerate(parts):
        anchored = index == 0 and wanted[0] != ANYTHING
        last = index == len(parts) - 1 and wanted[-1] != ANYTHING
        begin = max(at, len(found) - len(part)) if last and not anchored else at
        places = [begin] if anchored or last else range(begin, len(found) - len(part) + 1)
        place = next((here for here in places if _same(part, found[here : here + len(part)], tolerance)), None)
        if place is None:
            return False
        at = place + len(part)
    return at == len(found) or (bool(wanted) and wanted[-1] == ANYTHING)


def _same(wanted: Sequence[str], found: Sequence[str], tolerance: float) -> bool:
    return len(wanted) == len(found) and all(
        _line_agrees(one, other, tolerance) for one, other in zip(wanted, found, strict=True)
    )


def _line_agrees(wanted: str, found: str, tolerance: float) -> bool:
    if tolerance == 0:
        return wanted.rstrip() == found.rstrip()
    if [" ".join(text.split()) for text in NUMBER.split(wanted)] != [
        " ".join(text.split()) for text in NUMBER.split(found)
    ]:
        return False
    pairs = zip(_numbers(wanted), _numbers(found), strict=True)
    return all(abs(one - other) <= tolerance * abs(one) for one, other in pairs)


def _numbers(line: str) -> list[float]:
    return [float(text.replace(",", "")) for text in NUMBER.findall(line)]
