"""`--set arrays.0.rows=64`: change one value of a configuration before it is validated."""

from __future__ import annotations

from typing import Any

import yaml

from mixarray.accelerator.sources import SET_BY_USER, covers
from mixarray.accelerator.yaml_text import parse_yaml
from mixarray.errors import InputError

OPTION = "--set"


def apply_override(data: dict[str, Any], override: str) -> None:
    """Replace the value at a dotted path that exists already; its source becomes "set by the user".

    `override` is `path=value`, the value in YAML. Raises InputError naming the keys allowed where the path leaves.
    """
    path, equals, text = override.partition("=")
    path = path.strip()
    if not equals or not all(path.split(".")):
        raise InputError(OPTION, f"{override!r} is not of the form path=value, for example arrays.0.rows=64")
    _check_settable(path, OPTION)
    try:
        value = parse_yaml(text)
    except yaml.YAMLError:
        raise InputError(OPTION, f"{text!r} is not a YAML value", path) from None
    set_field(data, path, value, OPTION)


def set_field(data: dict[str, Any], path: str, value: object, where: str) -> None:
    """Replace the value at a dotted path that exists already; its source becomes "set by the user".

    Raises InputError, whose place is `where`, naming the keys allowed where the path leaves.
    """
    _check_settable(path, where)
    _replace(data, path.split("."), value, where)
    sources = data.get("sources")
    if isinstance(sources, dict):
        kept = {key: source for key, source in sources.items() if not covers(path, str(key))}
        data["sources"] = {**kept, path: SET_BY_USER}


def _check_settable(path: str, where: str) -> None:
    if path.split(".", 1)[0] in ("sources", "schema_version"):
        raise InputError(where, "this cannot be set", path)


def _replace(data: dict[str, Any], keys: list[str], value: object, where: str) -> None:
    """Walk down the keys, each of which must exist, and set the last one."""
    node: Any = data
    for depth, key in enumerate(keys):
        parent = ".".join(keys[:depth]) or "the accelerator"
        place: Any = key
        if isinstance(node, dict):
            allowed = [str(known) for known in node if known != "sources"]
        elif isinstance(node, list):
            allowed = [str(position) for position in range(len(node))]
            place = int(key) if key in allowed else key
        else:
            raise InputError(where, f"{parent} is a value and has no fields", ".".join(keys))
        if key not in allowed:
            raise InputError(where, f"{parent} has no {key!r}; allowed: {', '.join(allowed)}", ".".join(keys))
        if depth == len(keys) - 1:
            node[place] = value
        else:
            node = node[place]
