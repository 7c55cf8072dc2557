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
    if not directory.is_dir():
        what = "is no directory: give the one that holds run.json" if directory.exists() else "no such run directory"
        raise InputError(str(directory), what)
    path = directory / ResultKind.RUN.value
    if not path.is_file():
        raise InputError(str(directory), f"holds no {path.name}, so it is no run{_instead(directory)}")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), f"cannot be read as a run: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(str(path), "cannot be read as a run: it is not UTF-8 text") from None
    try:
        return RunResult.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            raise InputError(str(path), f"cannot be read as a run: {first['msg']}") from None
        field, message = explain(error, RunResult)
        raise InputError(str(path), f"is no run of this version of mixarray: {message}", field) from None


def _instead(directory: Path) -> str:
    """What a directory that is no run is, where it is something else of ours."""
    if (directory / ResultKind.BUNDLE.value).is_file():
        return "; it is a bundle: simulate it first"
    if (directory / "runs").is_dir():
        return f"; its runs lie in {directory / 'runs'}"
    return ""
