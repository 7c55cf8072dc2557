"""Reading a JSON object that somebody else wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mixarray.errors import InputError


def read_json(path: Path, content: str = "") -> dict[str, Any]:
    """A JSON object, `content` says with what; InputError if the file is unreadable, no JSON or no object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InputError(str(path), f"is no JSON: {error}") from None
    except RecursionError:
        raise InputError(str(path), "is nested too deeply to be read") from None
    if not isinstance(found, dict):
        raise InputError(str(path), f"is no JSON object {content}".rstrip())
    return found
