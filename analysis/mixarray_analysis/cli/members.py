"""Reading an option that names a member of an enumeration."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from mixarray.errors import InputError

Member = TypeVar("Member", bound=StrEnum)


def read_member(option: str, text: str | None, allowed: type[Member], default: Member) -> Member:
    """The member of this name, `default` where the option was not given; InputError, with the names, for others."""
    if text is None:
        return default
    names = [known.value for known in allowed]
    if text not in names:
        raise InputError(option, f"{text!r} is unknown; allowed: {', '.join(names)}")
    return allowed(text)
