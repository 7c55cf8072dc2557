"""SystemVerilog and a C++ harness to a shared library, by Verilator; also with a fault planted in one source."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mixarray_analysis.validation.check import Requirement

VERILATOR = Requirement(
    name="verilator",
    present=lambda: shutil.which("verilator") is not None and shutil.which("g++") is not None,
    obtain="apt-get install verilator g++",
)

COMPILER_FLAGS = "-fPIC -std=c++17 -fvisibility=hidden -fno-gnu-unique"
"""Hidden and not unique: several sizes of one design live in one process, each with symbols of its own."""

OPTIMIZATION = "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
"""A library runs for seconds and compiles for longer: -O2 costs twice the time it saves."""


class BuildError(RuntimeError):
    """Verilator or the C++ compiler refused a design; the text is theirs."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A planted fault: in the source `file`, `old` (which stands there exactly once) becomes `new`."""

    file: str
    old: str
    new: str


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
    patch: Patch | None = None,
) -> Path:
    """The shared library of module `top` with `parameters`, driven by `harness`, built below `folder`.

    `sources` and `harness` are file names in `rtl_dir()`. The harness is compiled with -D of every parameter and
    includes V<top>.h. The same design is built once per folder. Raises BuildError if a tool refuses it, and for any
    lint warning (what is waived says why in the source), except that a planted fault may leave something unused.
    """
    texts = {name: (rtl_dir() / name).read_text() for name in (*sources, harness)}
    if patch is not None:
        texts[patch.file] = _patched(texts[patch.file], patch)
    work = folder / f"{top}-{_digest(top, texts, parameters)}"
    library = work / f"{top}.so"
    if library.is_file():
        return library
    work.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (work / name).write_text(text)
    warnings = ("-Wall",) if patch is None else ("-Wall", "-Wno-fatal")
    _verilate(top, (*warnings, *sources, harness), parameters, work)
    return (work / "objects" / f"{top}.partial").replace(library)


def _patched(text: str, patch: Patch) -> str:
    found = text.count(patch.old)
    if found != 1:
        raise BuildError(f"{patch.file}: {patch.old!r} stands there {found} times, a fault is planted in exactly one")
    return text.replace(patch.old, patch.new)


def _digest(top: str, texts: Mapping[str, str], parameters: Mapping[str, int]) -> str:
    design = json.dumps([top, texts, dict(parameters), COMPILER_FLAGS, OPTIMIZATION], sort_keys=True)
    return hashlib.sha256(design.encode()).hexdigest()[:16]


def _verilate(top: str, arguments: Sequence[str], parameters: Mapping[str, int], work: Path) -> None:
    """Translate, compile and link in `work`; the library is objects/<top>.partial."""
    macros = " ".join(f"-D{name}={value}" for name, value in parameters.items())
    command = [
        *("verilator", "--cc", "--exe", "--build", "-j", "1", "-O3", "--x-initial", "unique"),
        *("--top-module", top, "--Mdir", "objects", "-o", f"{top}.partial"),
        *(f"-G{name}={value}" for name, value in parameters.items()),
        *("-CFLAGS", f"{COMPILER_FLAGS} {macros}", "-MAKEFLAGS", OPTIMIZATION, "-LDFLAGS", "-shared -Wl,-z,defs"),
        *arguments,
    ]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{top}: verilator failed\n{done.stdout}{done.stderr}")
