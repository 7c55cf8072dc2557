"""Energy tables: package data, one CSV row per action with its value, band, source and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import fsum
from typing import NamedTuple, Self

from mixarray.accelerator.enums import Leakage
from mixarray.cost.rows import TableInfo, TableRow, VectorRow, read_rows
from mixarray.errors import InputError


@dataclass(frozen=True, slots=True)
class Estimate:
    """A sourced number with its band; the unit is that of the context (pJ, mW, um2 or 1)."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Self:
        """The same estimate of `factor` things."""
        return type(self)(self.value * factor, self.low * factor, self.high * factor)


NOTHING = Estimate(0.0, 0.0, 0.0)


def plus(estimates: list[Estimate]) -> Estimate:
    """Sum, bound by bound; the same in every order, being rounded once."""
    return Estimate(fsum(e.value for e in estimates), fsum(e.low for e in estimates), fsum(e.high for e in estimates))


class Key(NamedTuple):
    """Names a constant of a table; bits are 0 where they do not matter."""

    action: str
    bits_a: int = 0
    bits_w: int = 0

    def __str__(self) -> str:
        return f"{self.action} {self.bits_a}x{self.bits_w}" if self.bits_a else self.action


@dataclass(frozen=True, slots=True)
class EnergyTable:
    """A named table of estimates, and what else comes with it."""

    name: str
    rows: Mapping[Key, Estimate]
    sram_grid: str
    leakage: tuple[Leakage, ...]
    areas: bool

    def key(self, action: str, bits_a: int = 0, bits_w: int = 0) -> Key:
        """The constant that serves an action at these bits, or at any; InputError if none does, never a fallback."""
        for key in (Key(action, bits_a, bits_w), Key(action)):
            if key in self.rows:
                return key
        bits = f" at {bits_a}x{bits_w} bits" if bits_a else ""
        raise InputError(f"energy table {self.name}", f"has no energy for this action{bits}", action)

    def get(self, action: str, bits_a: int = 0, bits_w: int = 0) -> Estimate:
        """The estimate of an action; InputError if the table has none."""
        return self.rows[self.key(action, bits_a, bits_w)]

    def with_values(self, values: Mapping[Key, float]) -> EnergyTable:
        """The table with some constants at other values, without a band."""
        moved = {key: Estimate(value, value, value) for key, value in values.items()}
        return EnergyTable(self.name, {**self.rows, **moved}, self.sram_grid, self.leakage, self.areas)


@cache
def _infos() -> Mapping[str, TableInfo]:
    return {info.table: info for info in read_rows("tables.csv", TableInfo)}


def list_tables() -> tuple[str, ...]:
    """Names of the shipped energy tables."""
    return tuple(sorted(_infos()))


@cache
def energy_table(name: str) -> EnergyTable:
    """The table of that name; InputError with the names there are, or for the first row that is wrong."""
    if name not in list_tables():
        raise InputError(name, f"no such energy table; allowed: {', '.join(list_tables())}", "energy_table")
    info, file = _infos()[name], f"{name}.csv"
    rows: dict[Key, Estimate] = {}
    for row in read_rows(file, TableRow):
        key = Key(row.action, row.bits_a, row.bits_w)
        if key in rows:
            raise InputError(file, "stands there twice", str(key))
        rows[key] = Estimate(row.value, row.low, row.high)
    return EnergyTable(name, rows, info.sram_grid, info.leakage, info.areas)


@dataclass(frozen=True, slots=True)
class VectorOps:
    """Arithmetic that one element of a vector operator costs."""

    adds: int
    multiplies: int


@cache
def vector_ops() -> Mapping[str, VectorOps]:
    """Operations per element by operator kind."""
    return {row.kind: VectorOps(row.adds, row.multiplies) for row in read_rows("vector_ops.csv", VectorRow)}
