"""Rows of the package's tables as strict models: a row that is not sourced, bounded and of a known unit is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mixarray.accelerator.enums import Leakage
from mixarray.errors import InputError
from mixarray.explain import explain

DATA = files("mixarray.cost") / "data"


class Unit(StrEnum):
    """What a value counts; 1: a factor."""

    PICOJOULE = "pJ"
    MILLIWATT = "mW"
    SQUARE_MICROMETRE = "um2"
    FACTOR = "1"


class Status(StrEnum):
    """How we know a value: published by whoever measured it, quoted by others, derived by a stated rule, or assumed."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    DERIVED = "derived"
    ASSUMED = "assumed"


class Access(StrEnum):
    """What one access of a buffer is: one word of the port's width, or as many 64-bit words as the port is wide."""

    PORT = "port"
    WORDS_OF_64 = "words_of_64"


def _blank_is(value: object) -> BeforeValidator:
    return BeforeValidator(lambda cell: value if cell == "" else cell)


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Bits = Annotated[int, _blank_is(0), Field(ge=0, le=64)]
Node = Annotated[int, Field(ge=1, le=1000)]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Word = Annotated[str, Field(pattern=r"^[a-z0-9_.-]+$")]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableRow(_Row):
    """One constant: a value with its band, unit, source and status. node_nm is None where no node is meant (DRAM)."""

    action: Word
    bits_a: Bits
    bits_w: Bits
    value: Positive
    unit: Unit
    node_nm: Annotated[Node | None, _blank_is(None)]
    source: Text
    status: Status
    low: Positive
    high: Positive

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"{self.action}: the value {self.value} lies outside its band {self.low} to {self.high}")
        return self


class TableInfo(_Row):
    """A table that can be chosen: its node, the grid that prices buffers, and what it knows beside energies."""

    table: Word
    node_nm: Node
    sram_grid: Word
    leakage: Annotated[tuple[Leakage, ...], BeforeValidator(lambda cell: tuple(str(cell).split()))]
    areas: bool


class GridInfo(_Row):
    """A grid of SRAM energies. hp360_mw: leakage of 512 KiB in high-performance cells at 360 K, where known."""

    grid: Word
    node_nm: Node
    access: Access
    hp360_mw: Annotated[Positive | None, _blank_is(None)]
    title: Text
    source: Text
    status: Status


class GridRow(_Row):
    """Energy per access of one SRAM of one capacity and port width."""

    capacity_kib: Annotated[int, Field(ge=1)]
    port_bits: Annotated[int, Field(ge=1)]
    read_pj: Positive
    write_pj: Positive


class StaticRow(_Row):
    """Area and leakage of an SRAM with a 256-bit port, by capacity."""

    capacity_kib: Annotated[int, Field(ge=1)]
    area_mm2: Positive
    leakage_mw: Positive


class VectorRow(_Row):
    """Operations per element of a vector operator."""

    kind: Word
    adds: Annotated[int, Field(ge=0)]
    multiplies: Annotated[int, Field(ge=0)]
    source: Text
    status: Status


RowT = TypeVar("RowT", bound=BaseModel)


def read_rows(name: str, model: type[RowT]) -> tuple[RowT, ...]:
    """All rows of a CSV of this package's data; InputError naming file, line and column of the first bad one."""
    return parse_rows((DATA / name).read_text(encoding="utf-8"), name, model)


def parse_rows(text: str, where: str, model: type[RowT]) -> tuple[RowT, ...]:
    """All rows of a CSV text; InputError naming `where`, line and column of the first bad one."""
    return tuple(
        _parsed(row, f"{where} line {line}", model)
        for line, row in enumerate(csv.DictReader(io.StringIO(text), restkey="more"), start=2)
    )


def _parsed(row: Mapping[str, object], where: str, model: type[RowT]) -> RowT:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        field, message = explain(error, model)
        raise InputError(where, message, field) from None
