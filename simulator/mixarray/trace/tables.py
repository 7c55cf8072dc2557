"""Topology and windows as Parquet: deterministic bytes out, typed rows in."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mixarray.errors import InputError
from mixarray.trace.model import (
    Encoding,
    Grid,
    Input,
    Operand,
    Operator,
    OperatorKind,
    Relation,
    Role,
    RowsPer,
    Tensor,
    Variation,
)
from mixarray.trace.windows import WindowTable

Row = TypeVar("Row")

_INPUT = pa.struct([("tensor", pa.int64()), ("operand", pa.string()), ("relation", pa.string())])

OPERATOR_SCHEMA = pa.schema(
    [
        ("operator", pa.int64()),
        ("name", pa.string()),
        ("kind", pa.string()),
        ("stage", pa.int64()),
        ("block", pa.int64()),
        ("grid", pa.string()),
        *((size, pa.int64()) for size in ("batch", "m", "n", "k")),
        ("variation", pa.string()),
        ("rows_per", pa.string()),
        ("in_block", pa.bool_()),
        ("inputs", pa.list_(_INPUT)),
        ("output", pa.int64()),
    ]
)

TENSOR_SCHEMA = pa.schema(
    [
        ("tensor", pa.int64()),
        ("name", pa.string()),
        ("role", pa.string()),
        *((size, pa.int64()) for size in ("batch", "rows", "columns", "bits")),
        ("signed", pa.bool_()),
        ("zero_point", pa.int64()),
        ("step", pa.float64()),
        ("encoding", pa.string()),
        ("variation", pa.string()),
        ("window_bits", pa.int64()),
        ("region_shift", pa.int64()),
    ]
)
_FIRST_TENSOR_SCHEMA = pa.schema(
    [field for field in TENSOR_SCHEMA if field.name not in ("window_bits", "region_shift")]
)
"""Of bundles of schema 1.0: the bits of a tensor that varies were those of its windows, and none had two regions."""

_WINDOW_COLUMNS = ("image", "stage", "grid", "block", "window", "score", "rank", "bits", "tokens")
WINDOW_SCHEMA = pa.schema([(c, pa.float64() if c == "score" else pa.int64()) for c in _WINDOW_COLUMNS])

_OPERATOR_ENUMS: Mapping[str, type[Enum]] = {
    "kind": OperatorKind,
    "grid": Grid,
    "variation": Variation,
    "rows_per": RowsPer,
}
_TENSOR_ENUMS: Mapping[str, type[Enum]] = {"role": Role, "encoding": Encoding, "variation": Variation}
_INPUT_ENUMS: Mapping[str, type[Enum]] = {"operand": Operand, "relation": Relation}


def operators_parquet(operators: tuple[Operator, ...]) -> bytes:
    """`operators.parquet`: one row per operator in execution order."""
    rows = []
    for op in operators:
        row: dict[str, Any] = {name: getattr(op, name) for name in OPERATOR_SCHEMA.names}
        row["inputs"] = [{"tensor": i.tensor, "operand": i.operand, "relation": i.relation} for i in op.inputs]
        rows.append(row)
    return _write(pa.Table.from_pylist(rows, OPERATOR_SCHEMA))


def tensors_parquet(tensors: tuple[Tensor, ...]) -> bytes:
    """`tensors.parquet`: one row per tensor and branch."""
    rows = [{name: getattr(tensor, name) for name in TENSOR_SCHEMA.names} for tensor in tensors]
    return _write(pa.Table.from_pylist(rows, TENSOR_SCHEMA))


def windows_parquet(windows: WindowTable) -> bytes:
    """`windows.parquet`: one row per (image, stage, grid, block, window)."""
    return _write(pa.table(windows.columns(), WINDOW_SCHEMA))


def read_operators(data: bytes, where: str) -> tuple[Operator, ...]:
    """Inverse of operators_parquet; InputError naming the row and column that is wrong."""

    def operator(row: dict[str, Any]) -> Operator:
        inputs = tuple(Input(**_enums(entry, _INPUT_ENUMS)) for entry in row["inputs"])
        return Operator(**{**_enums(row, _OPERATOR_ENUMS), "inputs": inputs})

    return _rows(_read(data, OPERATOR_SCHEMA, where), operator, where)


def read_tensors(data: bytes, where: str, first_schema: bool = False) -> tuple[Tensor, ...]:
    """Inverse of tensors_parquet, or what bundles of schema 1.0 hold; InputError naming the row and column."""

    def tensor(row: dict[str, Any]) -> Tensor:
        if first_schema:
            row["window_bits"] = 0 if row["variation"] == Variation.NONE.value else row["bits"]
            row["region_shift"] = 0
        return Tensor(**_enums(row, _TENSOR_ENUMS))

    return _rows(_read(data, _FIRST_TENSOR_SCHEMA if first_schema else TENSOR_SCHEMA, where), tensor, where)


def read_windows(data: bytes, where: str) -> WindowTable:
    """Inverse of windows_parquet; InputError naming the column that is wrong."""
    table = _read(data, WINDOW_SCHEMA, where)
    columns: dict[str, Any] = {name: _numpy(table.column(name)) for name in WINDOW_SCHEMA.names}
    return WindowTable(**columns)


def _numpy(column: pa.ChunkedArray) -> NDArray[Any]:
    """The numbers of a column without missing values, by DLPack: `to_numpy` would import pandas."""
    chunks = [np.from_dlpack(chunk) for chunk in column.chunks if len(chunk)]
    return np.concatenate(chunks) if chunks else np.empty(0)


def _rows(table: pa.Table, make: Callable[[dict[str, Any]], Row], where: str) -> tuple[Row, ...]:
    made = []
    for number, row in enumerate(table.to_pylist()):
        try:
            made.append(make(row))
        except (ValueError, TypeError) as error:
            raise InputError(where, f"row {number}: {error}") from None
    return tuple(made)


def _enums(row: dict[str, Any], enums: Mapping[str, type[Enum]]) -> dict[str, Any]:
    return {name: enums[name](value) if name in enums else value for name, value in row.items()}


def _write(table: pa.Table) -> bytes:
    """Parquet bytes that depend on the content alone."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", row_group_size=max(1, table.num_rows), store_schema=False)
    return sink.getvalue()


def _read(data: bytes, schema: pa.Schema, where: str) -> pa.Table:
    try:
        table = pq.ParquetFile(io.BytesIO(data)).read()  # read_table would import datasets, and so pandas
    except (pa.ArrowException, OSError) as error:
        raise InputError(where, f"is no Parquet file: {error}") from None
    for name in table.column_names:
        if name not in schema.names:
            raise InputError(where, f"unknown column; allowed: {', '.join(schema.names)}", name)
    for field in schema:
        if field.name not in table.column_names:
            raise InputError(where, "column is missing", field.name)
        column = table.column(field.name)
        if not column.type.equals(field.type):
            raise InputError(where, f"is {column.type}, must be {field.type}", field.name)
        if column.null_count:
            raise InputError(where, f"has {column.null_count} empty entries", field.name)
    return table.select(schema.names)
