"""SystemVerilog and a C++ harness to a shared library, by Verilator; also with a fault planted in the sources."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mixarray_analysis.validation.rtl.toolchain import first_complaint, verilator_version

COMPILER_FLAGS = "-fPIC -std=c++17 -fvisibility=hidden -fno-gnu-unique"
"""Hidden and not unique: several sizes of one design live in one process, each with symbols of its own."""

OPTIMIZATION = ("OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O0")
"""A library runs for seconds and compiles for longer: -O2 costs twice the time it saves."""

RUNTIME = ("verilated.o", "verilated_threads.o")
"""Verilator's own objects: the same for every design, and more than half of the time that a build takes."""


class BuildError(RuntimeError):
    """Verilator or the C++ compiler refused a design: what they said first, and where the rest of it lies."""


@dataclass(frozen=True, slots=True)
class Patch:
    """In the source `file`, `old` (which stands there exactly once) becomes `new`."""

    file: str
    old: str
    new: str


Fault = tuple[Patch, ...]
"""A planted fault: mostly one patch."""


def rtl_dir() -> Path:
    """The SystemVerilog sources: those beside the checkout's packages, or those that the wheel carries."""
    installed = Path(__file__).parents[2] / "rtl_sources"
    return installed if installed.is_dir() else Path(__file__).parents[4] / "rtl"


def build(
    top: str,
    sources: Sequence[str],
    parameters: Mapping[str, int],
    harness: str,
    folder: Path,
    fault: Fault = (),
) -> Path:
    """The shared library of module `top` with `parameters`, driven by `harness`, built below `folder`.

    `sources` and `harness` are file names in `rtl_dir()`. The harness is compiled with -D of every parameter and
    includes V<top>.h. The same design is built once per folder, also where several processes share it. Raises
    BuildError if a tool refuses it, and for any lint warning (what is waived says why in the source), except that a
    planted fault may leave something unused.
    """
    texts = {name: (rtl_dir() / name).read_text() for name in (*sources, harness)}
    for patch in fault:
        texts[patch.file] = _patched(texts[patch.file], patch)
    warnings = ("-Wall", "-Wno-fatal") if fault else ("-Wall",)
    translation = _translation(top, parameters, (*warnings, *sources, harness))
    compilation = ["make", "-C", "objects", "-f", f"V{top}.mk", *OPTIMIZATION]
    library = folder / f"{top}-{_digest(texts, translation, compilation)}.so"
    if library.is_file():
        return library
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f"{top}-") as work:
        for name, text in texts.items():
            (Path(work) / name).write_text(text)
        _run(top, translation, Path(work))
        objects, runtime = Path(work) / "objects", folder / f"runtime-{_digest()}"
        _lend(runtime, objects)
        _run(top, compilation, Path(work))
        _keep(objects, runtime)
        return (objects / f"{top}.partial").replace(library)


def _patched(text: str, patch: Patch) -> str:
    found = text.count(patch.old)
    if found != 1:
        raise BuildError(f"{patch.file}: {patch.old!r} stands there {found} times, a fault is planted in exactly one")
    return text.replace(patch.old, patch.new)


def _translation(top: str, parameters: Mapping[str, int], arguments: Sequence[str]) -> list[str]:
    """The command that makes C++ of a design, and a makefile for objects/<top>.partial, in the current folder."""
    macros = " ".join(f"-D{name}={value}" for name, value in parameters.items())
    return [
        *("verilator", "--cc", "--exe", "-O3", "--x-initial", "unique"),
        *("--top-module", top, "--Mdir", "objects", "-o", f"{top}.partial"),
        *(f"-G{name}={value}" for name, value in parameters.items()),
        *("-CFLAGS", f"{COMPILER_FLAGS} {macros}", "-LDFLAGS", "-shared -Wl,-z,defs"),
        *arguments,
    ]


def _digest(texts: Mapping[str, str] | None = None, *commands: Sequence[str]) -> str:
    """What a build depends on: the sources, the whole command lines and the tool."""
    design = json.dumps([texts, commands, COMPILER_FLAGS, OPTIMIZATION, verilator_version()], sort_keys=True)
    return hashlib.sha256(design.encode()).hexdigest()[:16]


def _run(top: str, command: Sequence[str], work: Path) -> None:
    try:
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildError(f"{top}: {command[0]} does not start: {error.strerror}") from error
    if done.returncode:
        raise _complaint(top, done.stdout + done.stderr)


def _lend(runtime: Path, objects: Path) -> None:
    """Verilator's own objects of an earlier build; newer than all that they are made of, so make leaves them alone."""
    for name in RUNTIME:
        with suppress(FileNotFoundError):
            shutil.copyfile(runtime / name, objects / name)


def _keep(objects: Path, runtime: Path) -> None:
    runtime.mkdir(exist_ok=True)
    for name in RUNTIME:
        with suppress(FileExistsError, FileNotFoundError):
            os.link(objects / name, runtime / name)  # whole or not at all


def _complaint(top: str, log: str) -> BuildError:
    """What the tools said, kept in a file that outlives the build."""
    with tempfile.NamedTemporaryFile("w", prefix=f"mixarray-{top}-", suffix=".log", delete=False) as kept:
        kept.write(log)
    return BuildError(f"{top}: {first_complaint(log)} (all of it: {kept.name})")
