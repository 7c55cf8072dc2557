"""YAML as every accelerator file and override is read: plain data, and a key given twice is a mistake."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

MERGE_TAG = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """SafeLoader keeps the last of equal keys; this one refuses them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None or key_node.tag == MERGE_TAG:
                continue
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> object:
    """The data of a YAML text. Raises yaml.YAMLError for what is no YAML, too deep, or names a key twice."""
    try:
        data: object = yaml.load(text, _Loader)
    except (ValueError, RecursionError) as error:  # an impossible date or number; nesting without end
        raise yaml.YAMLError(str(error)) from None
    return data
