"""SCALE-Sim 3.0.0 in its own environment, which `make peers` builds: our files in, its answers out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixarray.timing.scalesim import ScaleSimTiming
from mixarray.trace.scalesim_topology import Form
from mixarray_analysis.validation.check import Requirement
from mixarray_analysis.validation.scalesim.compare import Answer, PeerRun

CHECKOUT = Path(__file__).resolve().parents[4]
"""The checkout this code runs from; of an installed wheel some folder without a Makefile."""
SCRIPT = Path(__file__).with_name("peer_script.py")
LONGEST_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask SCALE-Sim: the texts of its configuration and topology, and what the rows are."""

    config: str
    topology: str
    form: Form


@dataclass(frozen=True, slots=True)
class Reply:
    """The answers to one question, the text of COMPUTE_REPORT.csv, and what they cost."""

    run: PeerRun
    compute_report: str
    cpu_seconds: float
    wall_seconds: float


def peer_python(checkout: Path = CHECKOUT) -> Path | None:
    """The interpreter of SCALE-Sim's environment, once `make peers` has completed it in the checkout.

    No other place is searched, least of all the current directory: what is found is run.
    """
    place = checkout / ".peers" / "scalesim"
    python = place / "bin" / "python"
    return python if (place / ".ready").is_file() and python.is_file() else None


def how_to_get_it(checkout: Path = CHECKOUT) -> str:
    """How to build SCALE-Sim's environment from where this code runs."""
    if (checkout / "Makefile").is_file():
        return "make peers"
    return "only in a checkout of mixarray's repository: make peers there, and run .venv/bin/mixarray of that checkout"


SCALESIM = Requirement("scalesim", lambda: peer_python() is not None, how_to_get_it())


def ask(questions: Sequence[Question], folder: Path) -> list[Reply]:
    """SCALE-Sim's replies, in order, from one process; the files that it reads are left in `folder`.

    Raises RuntimeError with the end of its error output where SCALE-Sim fails, or where its environment is missing.
    """
    python = peer_python()
    if python is None:
        raise RuntimeError(f"SCALE-Sim's environment is missing: {SCALESIM.obtain}")
    places = [_write(question, folder / str(number)) for number, question in enumerate(questions)]
    command = [str(python), "-I", str(SCRIPT), *map(str, places)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"SCALE-Sim stopped with {done.returncode}: {done.stderr[-2000:]}")
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    return [_reply(place, reply) for place, reply in zip(places, replies, strict=True)]


def _write(question: Question, place: Path) -> Path:
    place.mkdir(parents=True)
    (place / "run.cfg").write_text(question.config, encoding="utf-8")
    (place / "topology.csv").write_text(question.topology, encoding="utf-8")
    (place / "form.txt").write_text(question.form.name.lower(), encoding="utf-8")
    return place


def _reply(place: Path, reply: dict[str, Any]) -> Reply:
    run = PeerRun(place / "run.cfg", place / "topology.csv", tuple(map(_answer, reply["layers"])))
    return Reply(run, reply["compute_report"], reply["cpu_seconds"], reply["wall_seconds"])


def _answer(layer: dict[str, Any]) -> Answer:
    timing = ScaleSimTiming(
        compute_cycles=layer["total_cycles"],
        sram_ifmap_reads=layer["sram_ifmap_reads"],
        sram_filter_reads=layer["sram_filter_reads"],
        sram_ofmap_writes=layer["sram_ofmap_writes"],
        overall_util_percent=layer["overall_util"],
        mapping_efficiency_percent=layer["mapping_eff"],
        compute_util_percent=layer["compute_util"],
    )
    return Answer(layer["m"], layer["n"], layer["k"], layer["stall_cycles"], timing)
