"""Provenance names the code and its packages, and works outside a checkout."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from mixarray import provenance
from mixarray.provenance import git_revision, package_versions


def test_versions_are_sorted_and_skip_what_is_missing() -> None:
    versions = package_versions(["surely-not-installed"])
    assert list(versions) == sorted(versions)
    assert {"python", "numpy"} <= set(versions)
    assert "surely-not-installed" not in versions


def test_outside_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "a" / "b" / "provenance.py"))
    assert git_revision() == "none"


def test_in_a_checkout_with_and_without_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "simulator" / "mixarray" / "provenance.py"))
    git("init")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "--no-verify", "-m", "first")
    assert re.fullmatch("[0-9a-f]{40}", git_revision())
    (tmp_path / "file").write_text("2")
    assert re.fullmatch("[0-9a-f]{40}-dirty", git_revision())
