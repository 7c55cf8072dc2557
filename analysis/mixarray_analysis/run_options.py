"""How a simulation is run and what is written beside its results; nothing here changes a number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixarray.engine.choice import Engine
from mixarray.result.perfetto import write_timeline
from mixarray.simulation import Simulation


@dataclass(frozen=True, slots=True)
class RunOptions:
    """timeline_slices: at most so many in `timeline.perfetto.json`; None: that file is not written."""

    engine: Engine = Engine.FAST
    timeline_slices: int | None = None

    def write(self, directory: Path, first: Simulation) -> None:
        """Write the timeline of a run's first simulation, if it is wanted, into an existing directory."""
        if self.timeline_slices is not None:
            write_timeline(directory, first, self.timeline_slices)


DEFAULTS = RunOptions()
"""The fast engine, and no timeline."""
