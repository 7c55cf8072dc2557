"""Keys of a sweep's axes: shares of windows by stage and block pair, or paths of the accelerator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mixarray.errors import InputError
from mixarray.trace.ratio import parse_pruning, parse_ratio
from mixarray_traces.quantization.ratios import Pairs

_SHARE = re.compile(r"(ratio|pruning)(?:\.(stage|pair|\d{1,3}(?:\.\d{1,3})?))?")
SHARES = ("ratio", "pruning")
SPEC_PLACE = "sweep"
"""Where a mistake in a specification lies, for who has no name of its file."""


def is_share(key: str) -> bool:
    """Whether a key sets a share of windows; InputError for one that only looks like it."""
    if key.split(".", maxsplit=1)[0] not in SHARES:
        return False
    if _SHARE.fullmatch(key) is None:
        kind = key.split(".", maxsplit=1)[0]
        known = ", ".join(f"{kind}{end}" for end in ("", ".stage", ".pair", ".2", ".2.1"))
        raise InputError(SPEC_PLACE, f"{key!r} is no share of windows; allowed: {known}")
    return True


def concrete(key: str, pairs: tuple[int, ...]) -> tuple[str, ...]:
    """The keys that `ratio.stage` or `ratio.pair` stands for in a model of so many block pairs per stage."""
    kind, _, each = key.partition(".")
    if each == "stage":
        return tuple(f"{kind}.{stage}" for stage in range(len(pairs)))
    if each == "pair":
        return tuple(f"{kind}.{stage}.{pair}" for stage, count in enumerate(pairs) for pair in range(count))
    places = {kind, *concrete(f"{kind}.stage", pairs), *concrete(f"{kind}.pair", pairs)} if each else {kind}
    if key not in places:
        raise InputError(SPEC_PLACE, f"{key!r} is not in the model, which has {pairs} block pairs per stage")
    return (key,)


def read_share(key: str, value: Any) -> int:
    """A share in thousandths; InputError for a value that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(SPEC_PLACE, f"{value!r} is no number", key)
    try:
        return parse_ratio(value, key) if key.startswith("ratio") else parse_pruning(value, key)
    except InputError as error:
        raise InputError(SPEC_PLACE, error.message, key) from None


def shares_of(kind: str, given: Mapping[str, int], pairs: tuple[int, ...]) -> Pairs:
    """The share of every block pair: of the pair, else of its stage, else of all; 0 where nothing is given."""
    everywhere = given.get(kind, 0)
    return tuple(
        tuple(given.get(f"{kind}.{stage}.{pair}", given.get(f"{kind}.{stage}", everywhere)) for pair in range(count))
        for stage, count in enumerate(pairs)
    )


def check_used(keys: set[str], pairs: tuple[int, ...]) -> None:
    """Raise InputError for a share that decides no pair, because a closer one always does."""
    for kind in SHARES:
        places = [(stage, pair) for stage, count in enumerate(pairs) for pair in range(count)]
        ways = [(f"{kind}.{stage}.{pair}", f"{kind}.{stage}", kind) for stage, pair in places]
        deciding = {next((key for key in way if key in keys), kind) for way in ways}
        unused = sorted(key for key in keys if key.split(".", maxsplit=1)[0] == kind and key not in deciding)
        if unused:
            raise InputError(SPEC_PLACE, f"{unused[0]!r} decides nothing: closer keys are given for all of its pairs")
