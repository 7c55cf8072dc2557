"""Turn pydantic's first complaint into a dotted path and one sentence that says what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

OWN_ERROR = "Value error, "
TAG = "<"
"""First character of the tags that tell the forms of a field apart; they are no part of its path."""


def explain(error: ValidationError, model: type[BaseModel]) -> tuple[str | None, str]:
    """(dotted path or None, message) of the first problem that `model` found."""
    first = error.errors(include_url=False)[0]
    location = [part for part in first["loc"] if not (isinstance(part, str) and part.startswith(TAG))]
    path = ".".join(str(part) for part in location) or None
    message = str(first["msg"]).removeprefix(OWN_ERROR)
    if first["type"] == "extra_forbidden":
        owner = _model_at(model, location[:-1])
        fields = owner.model_fields.items() if owner is not None else ()
        known = ", ".join(field.alias or name for name, field in fields) or "nothing more"
        return path, f"unknown field; allowed: {known}"
    if first["type"] == "missing":
        return path, "this field is required"
    if isinstance(first["input"], str | int | float | bool | None):
        return path, f"{message}; found {first['input']!r}"
    return path, message


def _model_at(model: type[BaseModel], location: Sequence[int | str]) -> type[BaseModel] | None:
    """The model class at a location: fields by name, list positions and keys of mappings stepped over."""
    here: type[BaseModel] | None = model
    for part in location:
        if isinstance(part, int) or here is None:
            continue
        field = here.model_fields.get(part)
        here = _model_inside(field.annotation) if field is not None else here
    return here


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    arguments: tuple[Any, ...] = getattr(annotation, "__args__", ())
    return next((found for argument in arguments if (found := _model_inside(argument)) is not None), None)
