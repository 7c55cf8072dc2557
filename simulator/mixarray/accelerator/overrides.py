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
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise InputError(OPTION, f"{override!r} is not of the form path=value, for example arrays.0.rows=64")
    if keys[0] in ("sources", "schema_version"):
        raise InputError(OPTION, "this cannot be set", path)
    try:
        value = parse_yaml(text)
    except yaml.YAMLError:
        raise InputError(OPTION, f"{text!r} is not a YAML value", path) from None
    _replace(data, keys, value)
    sources = data.get("sources")
    if isinstance(sources, dict):
        dotted = ".".join(keys)
        kept = {key: source for key, source in sources.items() if not covers(dotted, str(key))}
        data["sources"] = {**kept, dotted: SET_BY_USER}


def _replace(data: dict[str, Any], keys: list[str], value: object) -> None:
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
            raise InputError(OPTION, f"{parent} is a value and has no fields", ".".join(keys))
        if key not in allowed:
            raise InputError(OPTION, f"{parent} has no {key!r}; allowed: {', '.join(allowed)}", ".".join(keys))
        if depth == len(keys) - 1:
            node[place] = value
        else:
            node = node[place]
