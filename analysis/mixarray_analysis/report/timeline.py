"""How busy every unit was over time, from the counters of a run's `timeline.perfetto.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mixarray.errors import InputError
from mixarray.result.perfetto import FILE_NAME

BUSY = " busy: cycles per "


def timeline_data(directory: Path) -> dict[str, Any] | None:
    """Busy cycles of every unit in each bin of `bin_cycles`, and the total; None where the run has no timeline.

    The file has one event per line and may be long, so only its counters are parsed. InputError where it is broken.
    """
    file = directory / FILE_NAME
    if not file.is_file():
        return None
    units: dict[str, list[int]] = {}
    try:
        with file.open(encoding="utf-8") as lines:
            about = json.loads(next(lines).rstrip().rstrip(",") + "}")["metadata"]
            for line in lines:
                if BUSY in line:
                    event = json.loads(line.rstrip().rstrip(","))
                    units.setdefault(event["name"].partition(BUSY)[0], []).append(event["args"]["cycles"])
        return {"bin_cycles": about["bin_cycles"], "total_cycles": about["total_cycles"], "units": units}
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise InputError(str(file), f"cannot be read as a timeline: {error!r}") from None
