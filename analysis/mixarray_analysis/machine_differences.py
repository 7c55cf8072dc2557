"""In which fields of their configurations two machines differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mixarray.accelerator.model import Accelerator

ABSENT = "absent"
WORDS_ABOUT = {"schema_version", "name", "description", "sources"}
"""Fields that say something about a machine and nothing of it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field by its dotted path, and its value in both configurations; `absent` where one does not have it."""

    path: str
    ours: str
    theirs: str


def machine_differences(ours: Accelerator, theirs: Accelerator) -> tuple[Difference, ...]:
    """Every field in which two resolved configurations differ, in the order of the first; empty for equal machines.

    Names, descriptions and sources are left out.
    """
    mine, other = (dict(_fields(one.model_dump(mode="json", exclude=WORDS_ABOUT), "")) for one in (ours, theirs))
    paths = dict.fromkeys((*mine, *other))
    values = ((path, mine.get(path, ABSENT), other.get(path, ABSENT)) for path in paths)
    return tuple(Difference(path, one, two) for path, one, two in values if one != two)


def _fields(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """(dotted path, value as text) of everything in plain data that holds nothing further."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not entries:
        yield path, str(value)
    for key, inner in entries:
        yield from _fields(inner, f"{path}.{key}" if path else str(key))
