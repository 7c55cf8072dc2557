"""Writing accelerators: the resolved configuration beside every result, the JSON Schema, a new file from a preset."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import yaml

from mixarray.accelerator.load import find_accelerator, list_accelerators, parse_accelerator, parse_fields, read_text
from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError


def resolved_yaml(accelerator: Accelerator) -> str:
    """The whole accelerator as YAML, overrides included; loading it gives the same accelerator again."""
    data = accelerator.model_dump(mode="json")
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)


def accelerator_sha256(accelerator: Accelerator) -> str:
    """Identity of a resolved configuration."""
    return hashlib.sha256(resolved_yaml(accelerator).encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """JSON Schema of an accelerator file, for editors."""
    return Accelerator.model_json_schema()


def new_from(preset: str, path: Path, force: bool = False) -> Path:
    """Copy a preset, comments included, to `path`; the file's stem becomes its name. InputError if it exists."""
    if path.exists() and not force:
        raise InputError(str(path), "already exists; use --force to replace it")
    if path.stem in list_accelerators():
        raise InputError(str(path), f"{path.stem!r} is the name of a shipped accelerator; choose another")
    text = read_text(find_accelerator(preset))
    text = re.sub(r"^name:.*$", f"name: {path.stem}", text, count=1, flags=re.MULTILINE)
    parse_accelerator(parse_fields(text, path.name), path.name)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from None
    return path
