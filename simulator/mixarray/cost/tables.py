"""Energy tables: package data, one CSV row per action with its value, band, source and status."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Self

from mixarray.errors import InputError

DATA = files("mixarray.cost") / "data"
GRID_SUFFIX = ".sram.csv"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A sourced number with its band; the unit is that of the context (pJ, mW or 1)."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Self:
        """The same estimate of `factor` things."""
        return type(self)(self.value * factor, self.low * factor, self.high * factor)

    def scaled(self, other: Estimate) -> Self:
        """Product of two estimates, bound by bound (both are positive)."""
        return type(self)(self.value * other.value, self.low * other.low, self.high * other.high)


def plus(estimates: list[Estimate]) -> Estimate:
    """Sum, bound by bound."""
    return Estimate(sum(e.value for e in estimates), sum(e.low for e in estimates), sum(e.high for e in estimates))


Key = tuple[str, int, int]
"""(action, bits_a, bits_w); bits are 0 where they do not matter."""


@dataclass(frozen=True, slots=True)
class EnergyTable:
    """A named table of estimates."""

    name: str
    rows: Mapping[Key, Estimate]

    def get(self, action: str, bits_a: int = 0, bits_w: int = 0) -> Estimate:
        """The estimate of an action; InputError if the table has none, never a fallback."""
        found = self.rows.get((action, bits_a, bits_w)) or self.rows.get((action, 0, 0))
        if found is None:
            bits = f" at {bits_a}x{bits_w} bits" if bits_a else ""
            raise InputError(f"energy table {self.name}", f"has no energy for this action{bits}", action)
        return found


def read_csv(name: str) -> list[dict[str, str]]:
    """Rows of a CSV of this package's data."""
    return list(csv.DictReader(io.StringIO((DATA / name).read_text(encoding="utf-8"))))


def list_tables() -> tuple[str, ...]:
    """Names of the shipped energy tables."""
    names = (entry.name for entry in DATA.iterdir())
    return tuple(sorted(name.removesuffix(GRID_SUFFIX) for name in names if name.endswith(GRID_SUFFIX)))


@cache
def energy_table(name: str) -> EnergyTable:
    """The table of that name; InputError with the names there are."""
    if name not in list_tables():
        raise InputError(name, f"no such energy table; allowed: {', '.join(list_tables())}", "energy_table")
    rows = {
        (row["action"], int(row["bits_a"] or 0), int(row["bits_w"] or 0)): Estimate(
            float(row["value"]), float(row["low"]), float(row["high"])
        )
        for row in read_csv(f"{name}.csv")
    }
    return EnergyTable(name, rows)


@dataclass(frozen=True, slots=True)
class VectorOps:
    """Arithmetic that one element of a vector operator costs."""

    adds: int
    multiplies: int


@cache
def vector_ops() -> Mapping[str, VectorOps]:
    """Operations per element by operator kind."""
    return {row["kind"]: VectorOps(int(row["adds"]), int(row["multiplies"])) for row in read_csv("vector_ops.csv")}
