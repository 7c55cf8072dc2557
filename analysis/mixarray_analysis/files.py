"""Single result files: refused where they exist, complete or not there."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from mixarray.errors import InputError


def refuse_existing(path: Path | None, force: bool) -> None:
    """Raise InputError if the file or directory exists and may not be replaced; called before any long work."""
    if path is not None and path.exists() and not force:
        raise InputError(str(path), "already exists; use --force to replace it", "--out")


def write_text(path: Path, text: str, force: bool) -> Path:
    """Write a text file under a temporary name and rename it; InputError if it exists (unless force) or cannot be."""
    refuse_existing(path, force)
    part = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return path
