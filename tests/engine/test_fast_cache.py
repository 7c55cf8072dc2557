"""Where the compiled engine is kept: beside the package, in the user's cache where that is not writable, or nowhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mixarray

RUN = """
from mixarray.engine.fast import total_cycles
from mixarray.engine.fast_walk import walk
from mixarray.engine.fast_ways import find_ways
from mixarray.mapping.schedule import Job, JobKind, Schedule, Segment

assert total_cycles(Schedule(("a",), (Segment((Job(0, JobKind.STREAM, 5, 1),), 3),))) == 16
print(sum(len(kernel.stats.cache_hits) for kernel in (find_ways, walk)))
"""
PLACE = "from mixarray.engine.fast_ways import find_ways; print(find_ways.stats.cache_path)"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of the package in whose engine directory nothing can be cached, not even by root."""
    package = Path(mixarray.__file__).parent
    shutil.copytree(package, tmp_path / "site" / "mixarray", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "site" / "mixarray" / "engine" / "__pycache__").touch()
    return tmp_path


def run(installed: Path, code: str, **changes: str) -> str:
    names = ("NUMBA_CACHE_DIR", "PYTHONPATH", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment |= {"PYTHONPATH": str(installed / "site"), "HOME": str(installed / "home"), **changes}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_an_unwritable_package_is_compiled_once_into_the_users_cache(installed):
    assert run(installed, RUN) == "0"
    kept = [path.name for path in (installed / "home").rglob("*.nbc")]
    assert any("find_ways" in name for name in kept)
    assert any("walk" in name for name in kept)
    assert run(installed, RUN) == "2"


def test_a_cache_directory_of_the_users_choice_is_honoured(installed):
    chosen = installed / "chosen"
    assert Path(run(installed, PLACE, NUMBA_CACHE_DIR=str(chosen))).parent == chosen


def test_with_nowhere_to_write_it_compiles_every_time_and_runs(installed):
    (installed / "home").touch()
    assert run(installed, PLACE) == "None"
    assert run(installed, RUN) == "0"
    assert not list(installed.rglob("*.nbc"))
