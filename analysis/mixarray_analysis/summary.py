"""The summary of a sweep: one row per ratio, the same columns in files, tables and plots."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from mixarray.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One ratio on one accelerator; everything per image at batch 1, whole network.

    ratio, pruning: nominal shares of low and of pruned windows, the mean where block pairs differ; ratio_actual,
    pruning_actual: counted over the window rows of the trace. setting: the ratios as they are typed. accuracy:
    AP50 in 0..1 with its bootstrap interval over n canvases (NaN and n = 0 where nothing was evaluated).
    bops_speedup: scope `bops_blocks`, from the trace's rows. utilization: PE-cycles doing a useful MAC pass over
    R x C x cycles; peak_mac_utilization: MACs over R x C x the largest lanes x cycles.
    """

    ratio: float
    ratio_actual: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    n: int
    bops_speedup: float
    simulated_speedup: float
    cycles: float
    latency_ms: float
    energy_uj: float
    utilization: float
    peak_mac_utilization: float
    pruning: float = 0.0
    pruning_actual: float = 0.0
    setting: str = "0"


COLUMNS = tuple(field.name for field in fields(SummaryRow))
ADDED = ("pruning", "pruning_actual", "setting")
"""Columns that summaries written before windows could be pruned lack; nothing is pruned in them."""


def write_summary(rows: Iterable[SummaryRow], path: Path) -> None:
    """Write the rows of one accelerator as CSV; a value that is not there (NaN) is an empty cell."""
    write_csv(path, COLUMNS, (astuple(row) for row in rows))


def write_tidy(rows: Sequence[tuple[str, SummaryRow]], directory: Path) -> None:
    """Write summary.csv and summary.parquet of several accelerators: the columns behind a column `accelerator`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = ("accelerator", *COLUMNS)
    values = [(accelerator, *astuple(row)) for accelerator, row in rows]
    write_csv(directory / "summary.csv", columns, values)
    table = pa.table({name: [row[index] for row in values] for index, name in enumerate(columns)})
    pq.write_table(table, directory / "summary.parquet")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV whose numbers read back exactly; NaN is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        write_rows(file, columns, rows)


def write_rows(file: TextIO, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """The same into an open text file."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: object) -> object:
    return "" if isinstance(value, float) and math.isnan(value) else value


def read_summary(source: Path) -> pd.DataFrame:
    """Read a sweep or demo directory, or one of its CSV files, into a frame with a column `accelerator` first.

    Raises InputError where the source is none of these or lacks a column.
    """
    import pandas as pd

    files = [source] if source.is_file() else sorted(source.glob("summary_*.csv")) or [source / "summary.csv"]
    frames = []
    for file in files:
        try:
            frame = pd.read_csv(file, dtype={"setting": str})
        except OSError as error:
            raise InputError(str(file), f"cannot be read as a summary: {error.strerror}") from None
        except ValueError as error:
            raise InputError(str(file), f"cannot be read as a summary: {error}") from None
        missing = [column for column in COLUMNS if column not in frame and column not in ADDED]
        if missing:
            raise InputError(str(file), "the column is missing; give a sweep, a demo or their summary.csv", missing[0])
        if "setting" not in frame:
            frame = frame.assign(pruning=0.0, pruning_actual=0.0, setting=[f"{ratio:g}" for ratio in frame["ratio"]])
        if "accelerator" not in frame:
            frame.insert(0, "accelerator", file.stem.removeprefix("summary_"))
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
