"""Which code and packages produced a result."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("mixarray", "numba", "numpy", "pyarrow", "pydantic", "simpy")
NO_REVISION = "none"


def git_revision() -> str:
    """The commit of the checkout this code runs from, with `-dirty` if tracked files changed; "none" outside one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return NO_REVISION
    revision = _git(root, "rev-parse", "HEAD")
    if not revision:
        return NO_REVISION
    return f"{revision}-dirty" if _git(root, "status", "--porcelain", "--untracked-files=no") else revision


def package_versions(extra: Sequence[str] = ()) -> Mapping[str, str]:
    """Versions of Python and of the packages that shape results, by name; packages not installed are left out."""
    versions = {"python": platform.python_version()}
    for name in (*PACKAGES, *extra):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return dict(sorted(versions.items()))


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *arguments], cwd=root, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
