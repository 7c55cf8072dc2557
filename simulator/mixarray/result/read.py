"""Reading a run back from its directory."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from mixarray.atomic import ResultKind
from mixarray.errors import InputError
from mixarray.explain import explain
from mixarray.result.run import RunResult


def read_run(directory: Path) -> RunResult:
    """The content of a directory's run.json; InputError where there is none, or another version wrote it."""
    path = directory / ResultKind.RUN.value
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"cannot be read as a run: {error}") from None
    try:
        return RunResult.model_validate_json(text)
    except ValidationError as error:
        field, message = explain(error, RunResult)
        raise InputError(str(path), f"is no run of this version of mixarray: {message}", field) from None
