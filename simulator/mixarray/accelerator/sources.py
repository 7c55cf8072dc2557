"""Every number of an accelerator carries its source: a map from path to text, the longest matching prefix wins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError

SET_BY_USER = "set by the user"


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """(dotted path, value) of everything in nested mappings and sequences that is neither."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}.{index}" if path else str(index))
    else:
        yield path, value


def covers(prefix: str, path: str) -> bool:
    """Whether the dotted `prefix` is `path` itself or one of its parents."""
    return path == prefix or path.startswith(f"{prefix}.")


def source_of(accelerator: Accelerator, path: str) -> str | None:
    """The source of the number at the dotted path, or None."""
    fitting = [prefix for prefix in accelerator.sources if covers(prefix, path)]
    return accelerator.sources[max(fitting, key=len)] if fitting else None


def check_sources(accelerator: Accelerator, where: str) -> None:
    """Raise InputError for the first number without a source, an empty source, or a source of nothing."""
    everything = dict(leaves(accelerator.model_dump(exclude={"sources"})))
    for path, value in everything.items():
        if isinstance(value, int | float | Fraction) and not source_of(accelerator, path):
            raise InputError(where, 'this number has no source; add one under sources: ("assumed" is one)', path)
    for prefix in accelerator.sources:
        if not any(covers(prefix, path) for path in everything):
            raise InputError(where, "this source belongs to nothing in the file", f"sources.{prefix}")
