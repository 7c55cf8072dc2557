"""Flags of `mixarray quantize` that belong to one method."""

from __future__ import annotations

from collections.abc import Mapping

from mixarray.errors import InputError


def refuse_elsewhere(flags: Mapping[str, object], owner: str, method: str, *, says_value: bool = True) -> None:
    """Raise InputError for the first of `owner`'s flags that was given (is not None) to another method.

    says_value: whether the message begins with what was given; not where a flag is a plain switch.
    """
    for option, value in flags.items():
        if value is not None:
            what = f"{value} is" if says_value else "is"
            raise InputError(option, f"{what} an option of {owner}; the method is {method}")
