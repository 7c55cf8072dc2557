"""Tools that are not what they say: programs on PATH that only pretend to be Verilator, make or a compiler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Plant = Callable[[str, str], None]


@pytest.fixture
def only_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """only_tools(name, script): there is nothing on PATH but these shell scripts."""
    return _plant(tmp_path, monkeypatch, "")


@pytest.fixture
def first_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """first_tools(name, script): these shell scripts are found before what is on PATH."""
    return _plant(tmp_path, monkeypatch, ":/usr/local/bin:/usr/bin:/bin")


def _plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: str) -> Plant:
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}{others}")

    def plant(name: str, script: str) -> None:
        program = tools / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    return plant
