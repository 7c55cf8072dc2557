"""Commands as children whose processor time is taken; a quantization leaves what it took beside its model."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.files import write_text

SECONDS = "seconds"
"""The folder beside the models."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """What a quantization took, and from what.

    processor_seconds: of the whole command, start and files included. cores: of the machine. calibration_canvases,
    calibration_px, seed: of its calibration.
    """

    processor_seconds: float
    cores: int
    calibration_canvases: int
    calibration_px: int
    seed: int


def timed_call(words: list[str]) -> int:
    """Run a command as `subprocess.call` does; `quantize -o WORK/NAME` also leaves WORK/seconds/NAME.json."""
    before = _children_seconds()
    code = subprocess.call(words)
    if code == 0 and "quantize" in words:
        _write(Path(words[words.index("-o") + 1]), _children_seconds() - before)
    return code


def read_quantized(path: Path) -> Quantized:
    """What `timed_call` left; InputError where it is something else."""
    try:
        return Quantized(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(str(path), f"does not say what a quantization took: {error!r}") from None


def _write(model: Path, seconds: float) -> None:
    options = json.loads((model / "manifest.json").read_text(encoding="utf-8"))["options"]
    calibration = options["calibration_canvases"], options["calibration_size"], options["seed"]
    took = Quantized(round(seconds, 1), os.cpu_count() or 1, *calibration)
    write_text(model.parent / SECONDS / f"{model.name}.json", json.dumps(asdict(took), indent=2) + "\n", force=True)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
