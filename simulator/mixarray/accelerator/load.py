"""Loading an accelerator: a preset or a file, overrides, and errors naming file, field and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.overrides import apply_override, set_field
from mixarray.accelerator.sources import check_sources
from mixarray.accelerator.yaml_text import parse_yaml
from mixarray.errors import InputError
from mixarray.explain import explain

FOLDER = "accelerator_configs"


def config_dir() -> Path:
    """The folder of the presets: package data in an installed wheel, the repository's folder in a checkout."""
    packaged = Path(str(files("mixarray"))) / FOLDER
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / FOLDER


def list_accelerators() -> tuple[str, ...]:
    """Names of the shipped presets, sorted."""
    return tuple(sorted(path.stem for path in config_dir().glob("*.yaml")))


def find_accelerator(name_or_path: str) -> Path:
    """The file of a preset's name or of a path to a YAML file; InputError (with a suggestion) if there is none."""
    preset = config_dir() / f"{name_or_path}.yaml"
    if name_or_path in list_accelerators():
        return preset
    path = Path(name_or_path)
    if path.is_file():
        return path
    names = list_accelerators()
    close = difflib.get_close_matches(name_or_path, names, n=1, cutoff=0.4)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise InputError(name_or_path, f"no such accelerator{hint} (shipped: {', '.join(names)}; or a path to a YAML file)")


def load_accelerator(name_or_path: str, overrides: Sequence[str] = ()) -> Accelerator:
    """The accelerator of a preset's name or a YAML file, with `path=value` overrides applied.

    Raises InputError naming the file, the dotted path of the field and what is allowed.
    """
    path = find_accelerator(name_or_path)
    data = parse_fields(read_text(path), str(path))
    for override in overrides:
        apply_override(data, override)
    return parse_accelerator(data, path.name if not overrides else f"{path.name} with --set")


def changed_accelerator(accelerator: Accelerator, changes: Mapping[str, object], where: str) -> Accelerator:
    """The accelerator with the values of dotted paths (`{"arrays.0.rows": 64}`) replaced.

    Raises InputError naming the path and what is allowed; `where` says where the changes come from.
    """
    data = accelerator.model_dump(mode="json")
    for path, value in changes.items():
        set_field(data, path, value, where)
    return parse_accelerator(data, f"{accelerator.name} with {where}") if changes else accelerator


def parse_accelerator(data: dict[str, Any], where: str) -> Accelerator:
    """Validate plain data as an accelerator; InputError naming the field."""
    try:
        accelerator = Accelerator.model_validate(data)
    except ValidationError as error:
        field, message = explain(error, Accelerator)
        raise InputError(where, message, field) from None
    check_sources(accelerator, where)
    return accelerator


def read_text(path: Path) -> str:
    """The text of an accelerator file; InputError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(str(path), "cannot be read: it is not UTF-8 text") from None


def parse_fields(text: str, where: str) -> dict[str, Any]:
    """The fields of an accelerator's YAML text, not yet validated; InputError if it is no mapping."""
    try:
        data = parse_yaml(text)
    except yaml.YAMLError as error:
        raise InputError(where, f"cannot be read as YAML: {error}") from None
    if not isinstance(data, dict):
        raise InputError(where, "is no accelerator: the file must be a mapping of fields")
    return data
