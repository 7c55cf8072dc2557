"""The tools that turn SystemVerilog into a library: whether they are here, and what their complaints say."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache

from mixarray_analysis.validation.check import Requirement

OLDEST_MAJOR_VERSION = 5
COMPANIONS = ("make", "g++")

COMPLAINT = re.compile(r"%Error(?!: (Exiting|make))|\berror: |\*\*\* |No such file|not found")
"""A line that says what went wrong, and not merely that something did."""


def verilator_version() -> str:
    """What the verilator on PATH says of itself; empty where there is none, or none that works."""
    program = shutil.which("verilator")
    return _version_of(program) if program else ""


@cache
def _version_of(program: str) -> str:
    try:
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _present() -> bool:
    major = re.match(r"Verilator (\d+)\.", verilator_version())
    return bool(major and int(major[1]) >= OLDEST_MAJOR_VERSION and all(map(shutil.which, COMPANIONS)))


VERILATOR = Requirement(
    name="verilator",
    present=_present,
    obtain=f"version {OLDEST_MAJOR_VERSION} or later, with make and g++: apt-get install verilator make g++",
)


def first_complaint(log: str) -> str:
    """The line of the tools' output that names the cause: the first error, else a warning, else the last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = (line for line in lines if COMPLAINT.search(line))
    warnings = (line for line in lines if line.startswith("%Warning"))
    return next(errors, next(warnings, lines[-1] if lines else "it said nothing"))
