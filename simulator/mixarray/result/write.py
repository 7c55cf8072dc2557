"""Writing a result: run.json, tables of layers and mappings, the resolved accelerator; equal bytes for equal runs."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.write import resolved_yaml
from mixarray.result.glossary import LAYER_COLUMNS
from mixarray.result.layers import Row, layer_rows
from mixarray.result.mapping_glossary import MAPPING_COLUMNS
from mixarray.result.mappings import mapping_rows
from mixarray.result.run import RunResult
from mixarray.result.totals import Weighted

TEXT = ("name", "kind", "grid", "groups", "operand_bits", "arrays", "modes", "array_busy_cycles_by_array")
REAL = ("energy_pj",)
LAYER_TYPES = {
    name: pa.string() if name in TEXT else pa.float64() if name in REAL else pa.int64() for name in LAYER_COLUMNS
}


def write_run(directory: Path, result: RunResult, simulations: Weighted, accelerator: Accelerator) -> None:
    """Write the files of one run into an existing directory (make it with `atomic_directory`)."""
    layers = _csv(layer_rows(simulations), LAYER_COLUMNS)
    (directory / "run.json").write_text(result.to_json(), encoding="utf-8")
    (directory / "accelerator.yaml").write_text(resolved_yaml(accelerator), encoding="utf-8")
    (directory / "layers.csv").write_bytes(layers)
    (directory / "mappings.csv").write_bytes(_csv(mapping_rows(simulations), MAPPING_COLUMNS))
    # The Parquet file is read from the CSV's bytes: both say the same, and pa.array would import pandas.
    table = pa_csv.read_csv(io.BytesIO(layers), convert_options=pa_csv.ConvertOptions(column_types=LAYER_TYPES))
    pq.write_table(table, directory / "layers.parquet", compression="zstd", store_schema=False)


def trace_path(bundle: Path, out: Path | None) -> str:
    """The bundle as seen from the directory of results, or as it was given where nothing is written."""
    return (bundle if out is None else Path(os.path.relpath(bundle.resolve(), out.resolve()))).as_posix()


def _csv(rows: Sequence[Row], columns: Iterable[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
