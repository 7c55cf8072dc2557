"""Measured values that several processes share: one JSON object a line, appended whole."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mixarray.errors import InputError

Key = Mapping[str, Any]
Value = Mapping[str, float | int]


class Store:
    """Values by key in a file of JSON lines, `{"key": ..., "value": ...}`; keys are plain JSON values.

    A line is appended under a lock and flushed to disk. What follows the last line break was torn off by a kill: it is
    ignored, and removed before the next line is written. Lines of other processes are found when a key is missed, and
    under the lock before a line is written, so no key is written twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Value] = {}
        self._read_bytes = 0
        self._read_lines = 0

    def get(self, key: Key) -> Value | None:
        """The value, or None; InputError where the file cannot be read."""
        name = _name(key)
        if name not in self._known:
            self._catch_up()
        return self._known.get(name)

    def put(self, key: Key, value: Value) -> None:
        """Append a value, unless the key has one; InputError where the file cannot be written."""
        line = json.dumps({"key": key, "value": value}, sort_keys=True, allow_nan=False) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if self.get(key) is not None:
                    return
                _cut_torn_line(self.path)
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(str(self.path), f"cannot be written: {error.strerror}", "--cache") from None
        self._known[_name(key)] = value

    def _catch_up(self) -> None:
        """Read the whole lines that were appended since."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read_bytes)
                new = file.read()
        except FileNotFoundError:
            return
        except OSError as error:
            raise InputError(str(self.path), f"cannot be read: {error.strerror}", "--cache") from None
        whole = new[: new.rfind(b"\n") + 1]
        lines = whole.splitlines()
        for number, line in enumerate(lines, start=self._read_lines + 1):
            try:
                entry = json.loads(line)
                self._known[_name(entry["key"])] = dict(entry["value"])
            except (ValueError, KeyError, TypeError, RecursionError):
                message = f"line {number} is no measured value; remove the line, or name another file"
                raise InputError(str(self.path), message, "--cache") from None
        self._read_bytes += len(whole)
        self._read_lines += len(lines)


def _cut_torn_line(path: Path) -> None:
    """End the file at its last line break."""
    with path.open("r+b") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


def _name(key: Key) -> str:
    return json.dumps(key, sort_keys=True, separators=(",", ":"))
