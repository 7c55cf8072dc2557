"""What can be turned in an accelerator's configuration: half and twice of every number, every other choice by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from mixarray.accelerator.choices import FREE
from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.sorters import sorters
from mixarray.accelerator.styles import pe_styles
from mixarray.accelerator.vector_styles import vector_styles
from mixarray.cost.tables import list_tables

DOWN, UP, OTHER = "down", "up", "other"
NO_LEVER = ("schema_version", "name", "description", "sources", "modes")
"""Texts, and the operand bits of the modes, which belong to their PE style."""
NAMED: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "pe_style": lambda: tuple(sorted(pe_styles())),
    "passes": lambda: tuple(sorted(vector_styles())),
    "sorter": lambda: (*sorted(sorters()), FREE),
    "energy_table": lambda: tuple(sorted(list_tables())),
}
"""Fields that name something registered, with what they may name."""


@dataclass(frozen=True, slots=True)
class Variation:
    """One field turned one way: the values to try in order, each as overrides of the run's accelerator."""

    field: str
    direction: str
    base_value: str
    values: tuple[str, ...]
    paths: tuple[str, ...]


def variations(machine: Accelerator) -> Iterator[Variation]:
    """Every field of the configuration: a number down and up, a choice to each of the others.

    Channels of DRAM are turned together, since they must be alike.
    """
    channels = len(machine.dram_channels)
    for path, value in _leaves(machine.model_dump(mode="python"), ""):
        if path.startswith("dram_channels."):
            first, paths = _all_channels(path, channels)
            if not first:
                continue
        else:
            paths = (path,)
        for direction, values in _turns(path, value):
            yield Variation(path, direction, str(value), values, paths)


def _all_channels(path: str, channels: int) -> tuple[bool, tuple[str, ...]]:
    """Whether a path is that of the first channel, and the same field of all channels."""
    part, number, field = path.split(".", 2)
    return number == "0", tuple(f"{part}.{other}.{field}" for other in range(channels))


def _leaves(node: object, path: str) -> Iterator[tuple[str, object]]:
    """Paths and values of all fields that can be turned, in the order of the configuration."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in NO_LEVER:
                yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list | tuple):
        for number, value in enumerate(node):
            yield from _leaves(value, f"{path}.{number}")
    else:
        yield path, node


def _turns(path: str, value: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Directions in which a value is turned, each with what is tried."""
    if isinstance(value, Fraction):
        yield DOWN, (str(value / 2),)
        yield UP, (str(value * 2),)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield DOWN, _below(value)
        yield UP, tuple(dict.fromkeys(str(one) for one in (2 * value, value + 1) if one > value))
    else:
        for other in _choices(path, value):
            if other != value:
                yield OTHER, (other,)


def _below(value: int) -> tuple[str, ...]:
    """Half; of an odd number what is left of it; then one less. Nothing below 0."""
    return tuple(dict.fromkeys(str(one) for one in (value // 2, value - 1) if 0 <= one < value))


def _choices(path: str, value: object) -> tuple[str, ...]:
    """What a field that is no number may be. A KeyError is a new field that this file does not know."""
    if isinstance(value, StrEnum):
        return tuple(member.value for member in type(value))
    if isinstance(value, bool):
        return "true", "false"
    return NAMED[path.rpartition(".")[2]]()
