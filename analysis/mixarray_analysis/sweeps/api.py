"""Sweeps from Python: run one, or open one that lies in a directory, as a frame."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mixarray.errors import InputError
from mixarray_analysis.sweeps.directory import read_findings
from mixarray_analysis.sweeps.rows import SCHEMA
from mixarray_analysis.sweeps.running import run_sweep
from mixarray_analysis.sweeps.spec import SweepSpec, parse_spec, read_spec
from mixarray_analysis.sweeps.store import POINTS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ATTEMPTS = 5
"""To read a data set that a running sweep sorts meanwhile."""


def sweep(
    spec: SweepSpec | Mapping[str, object] | Path | str,
    out: Path | str,
    *,
    jobs: int = 1,
    force: bool = False,
    quiet: bool = True,
) -> Sweep:
    """Run a sweep into the directory `out`, or go on with the one that lies there, and open it.

    spec: a specification, its fields as plain data, or its YAML file. jobs: processes side by side (0: one per CPU); a
    script that asks for more than one does so below `if __name__ == "__main__":`. force: start anew. Raises InputError
    for a bad specification or directory.
    """
    if isinstance(spec, Path | str):
        spec = read_spec(Path(spec))
    elif not isinstance(spec, SweepSpec):
        spec = parse_spec(dict(spec), "sweep")
    run_sweep(spec, Path(out), jobs, force, quiet)
    return read_sweep(out)


def read_sweep(directory: Path | str) -> Sweep:
    """The sweep in a directory, also one that is running or was killed; InputError where there is none."""
    return Sweep(Path(directory), read_findings(Path(directory)))


@dataclass(frozen=True)
class Sweep:
    """A sweep on disk: one row per point. findings: `sweep.json`, None while it is not finished."""

    directory: Path
    findings: Mapping[str, Any] | None

    def __len__(self) -> int:
        rows: int = self._table(["point"]).num_rows
        return rows

    def to_pandas(self, columns: Sequence[str] | None = None, *, fields: bool = False) -> pd.DataFrame:
        """The rows in the order of the specification; while it runs, those that are there, in no order.

        columns: some of them. fields: add a column for each field of the accelerator that was set, named by its path,
        empty in rows where it was not.
        """
        names = list(SCHEMA.names if columns is None else columns)
        table = self._table(list(dict.fromkeys([*names, "overrides"])) if fields else names)
        frame: pd.DataFrame = table.select(names).to_pandas()
        return frame.join(_fields(table["overrides"].to_pylist())) if fields else frame

    def _table(self, names: list[str]) -> pa.Table:
        """Some columns; a row that two files hold while the sweep is being sorted stands once."""
        import pyarrow.dataset as ds

        read = list(dict.fromkeys([*names, "point"]))
        for _ in range(ATTEMPTS):
            try:
                table = ds.dataset(self.directory / POINTS, schema=SCHEMA, format="parquet").to_table(read)
            except FileNotFoundError:  # sorted away between listing and reading
                continue
            _, first = np.unique(table["point"].to_numpy(), return_index=True)
            return (table if len(first) == table.num_rows else table.take(np.sort(first))).select(names)
        raise InputError(str(self.directory / POINTS), "cannot be read: files are missing")

    def __repr__(self) -> str:
        return f"Sweep({str(self.directory)!r}, {self._state()})"

    def _repr_html_(self) -> str:
        shown = ["model", "accelerator", "overrides", "setting", "bops_speedup", "simulated_speedup", "latency_ms"]
        head = self.to_pandas(shown).head(5).to_html(index=False, border=0, float_format="{:.4g}".format)
        return f"<p><b>Sweep</b> {html.escape(str(self.directory))}: {self._state()}</p>{head}"

    def _state(self) -> str:
        if self.findings is None:
            return f"not finished, {len(self):,} rows so far"
        counts = self.findings["counts"]
        return f"{len(self):,} points, {counts['failed']:,} failed, {counts['refused']:,} refused"


def _fields(overrides: Sequence[str]) -> pd.DataFrame:
    """A column per path that stands in overrides: numbers and lists as such, anything else as text."""
    import pandas as pd

    read = {text: _settings(text) for text in set(overrides)}
    return pd.DataFrame([read[text] for text in overrides])


def _settings(overrides: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for setting in overrides.split():
        path, _, text = setting.partition("=")
        try:
            found[path] = json.loads(text)
        except ValueError:
            found[path] = text
    return found
