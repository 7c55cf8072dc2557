"""A simulated run in a program's hands: its numbers, its layers as a frame, its files, a line and a small table."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mixarray.accelerator.model import Accelerator
from mixarray.atomic import ResultKind, atomic_directory
from mixarray.digits import percent, significant
from mixarray.errors import InputError
from mixarray.images import Simulated
from mixarray.result.glossary import LAYER_COLUMNS
from mixarray.result.layers import layer_rows
from mixarray.result.run import RunResult, Speedup
from mixarray.result.totals import Totals
from mixarray.result.write import trace_path, write_run

if TYPE_CHECKING:
    import pandas as pd

DIGITS = 4
"""Significant digits of what is shown; `totals` has all."""


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """What `mixarray.simulate` gives; means per image, batch 1, whole network.

    name: what ran on which machine, with what was set on it. result: the content of run.json. accelerator: resolved.
    simulated: each distinct simulation, with the number of images that it stands for.
    """

    name: str
    result: RunResult
    accelerator: Accelerator
    simulated: Simulated

    @property
    def totals(self) -> Totals:
        """All totals, with their bands."""
        return self.result.totals

    @property
    def speedup(self) -> Speedup | None:
        """Over the baseline, in three scopes; None for GEMMs without one."""
        return self.result.speedup

    @property
    def cycles(self) -> int | float:
        """Array clock cycles until the last result."""
        return self.totals.cycles

    @property
    def latency_ms(self) -> float:
        """Cycles at the accelerator's clock."""
        return self.totals.latency_ms

    @property
    def energy_uj(self) -> float:
        """Energy in microjoule; `totals` has its band."""
        return self.totals.energy_uj

    @property
    def utilization(self) -> float:
        """PE-cycles doing a useful MAC pass over PEs x cycles."""
        return self.totals.utilization

    def to_pandas(self) -> pd.DataFrame:
        """A row per layer of each distinct simulation, and one for the machine: the columns of layers.csv.

        Raises InputError where pandas is not installed.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError:
            raise InputError("to_pandas", "needs pandas, which is not installed: pip install pandas") from None
        return pd.DataFrame(layer_rows(self.simulated), columns=list(LAYER_COLUMNS))

    def write(self, directory: Path | str, *, force: bool = False) -> Path:
        """Write the files of `mixarray simulate -o`, which plots, explanations and reports are made of.

        Raises InputError where the directory exists (unless `force`) or cannot be written.
        """
        out = Path(directory)
        trace = self.result.trace
        with atomic_directory(out, ResultKind.RUN, force, [] if trace is None else [Path(trace.path)]) as place:
            moved = None if trace is None else trace.model_copy(update={"path": trace_path(Path(trace.path), place)})
            write_run(place, self.result.model_copy(update={"trace": moved}), self.simulated, self.accelerator)
        return out

    def __repr__(self) -> str:
        return f"Run({self.name}: {'; '.join(' '.join(fact) for fact in self._facts())})"

    def _repr_html_(self) -> str:
        rows = [f"<tr><th>{name}</th><td>{html.escape(value)}</td></tr>" for name, value in self._facts()]
        return f"<p><b>Run</b> {html.escape(self.name)}</p><table>{''.join(rows)}</table>"

    def _facts(self) -> list[tuple[str, str]]:
        """What a reader wants first: name, and value with its unit."""
        totals = self.totals
        facts = [
            ("cycles", f"{totals.cycles:,.0f}"),
            ("latency", f"{significant(totals.latency_ms, DIGITS)} ms"),
            ("energy", f"{significant(totals.energy_uj, DIGITS)} µJ"),
            ("utilization", percent(totals.utilization)),
        ]
        if self.speedup is not None:
            over = self.speedup.baseline.partition(":")[0]
            promise = f"BOPs of the blocks promise {self.speedup.bops_blocks:.3f}x"
            facts.append(("speedup", f"{self.speedup.simulated:.3f}x over {over} ({promise})"))
        return facts
