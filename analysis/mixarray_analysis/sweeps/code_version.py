"""Which code computes a point: the hash of the sources that decide it, so that edits count and commits do not."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

DECIDING = (
    ("mixarray", "**/*"),
    ("mixarray_analysis.sweeps", "**/*"),
    ("mixarray_traces.quantization", "ratios.py"),
)
"""Packages, and which of their files. What else makes a model is in the hash of its topology."""
SUFFIXES = (".py", ".csv")


def sources_sha256() -> str:
    """SHA-256 over names and contents of the simulator's sources and tables, and of this package, as they lie there."""
    found = hashlib.sha256()
    for package, pattern in DECIDING:
        root = Path(str(files(package)))
        for path in sorted(path for path in root.glob(pattern) if path.suffix in SUFFIXES):
            content = path.read_bytes()
            found.update(f"{package}/{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return found.hexdigest()


_IMPORTED_SHA256 = sources_sha256()


def code_sha256() -> str:
    """`sources_sha256` of when this process imported them: what was edited since is not what it runs."""
    return _IMPORTED_SHA256
