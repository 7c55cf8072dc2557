"""Where SCALE-Sim's environment is looked for, and what is said where it is not; nothing of it runs here."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixarray_analysis.validation.scalesim.peer import CHECKOUT, how_to_get_it, peer_python


def place_interpreter(folder: Path) -> Path:
    """Something that looks like the environment, in a folder."""
    python = folder / ".peers" / "scalesim" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    return python


def test_an_environment_counts_once_it_is_complete(tmp_path: Path) -> None:
    assert peer_python(tmp_path) is None
    python = place_interpreter(tmp_path)
    assert peer_python(tmp_path) is None, "an interrupted `make peers`"
    (tmp_path / ".peers" / "scalesim" / ".ready").touch()
    assert peer_python(tmp_path) == python


def test_nothing_is_run_from_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = place_interpreter(tmp_path)
    (tmp_path / ".peers" / "scalesim" / ".ready").touch()
    monkeypatch.chdir(tmp_path)
    found = peer_python()
    assert found is None or found != python
    assert found is None or found.is_relative_to(CHECKOUT)


def test_how_to_get_it_depends_on_where_the_code_runs(tmp_path: Path) -> None:
    assert how_to_get_it(tmp_path).startswith("only in a checkout of mixarray's repository: make peers there")
    (tmp_path / "Makefile").touch()
    assert how_to_get_it(tmp_path) == "make peers"
