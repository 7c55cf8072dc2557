"""Constants of the energy tables, reads of the SRAM grids and the price of 4 bits, beside published figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import cache

from mixarray.cost.rows import Bits, Positive
from mixarray.cost.sram import Sram, sram
from mixarray.cost.tables import EnergyTable, Estimate, Key, energy_table
from mixarray_analysis.validation.published.energy_grids import Grids, grid_figures
from mixarray_analysis.validation.published.figure import Comparison, Sourced, read_published

ROUNDING = 1e-12
"""Relative difference of two binary floating-point numbers that mean the same decimal one."""


class Bound(StrEnum):
    """Which number of an estimate a source gave."""

    VALUE = "value"
    LOW = "low"
    HIGH = "high"


class Access(StrEnum):
    """What is done to an SRAM."""

    READ = "read"
    WRITE = "write"


class EnergyRow(Sourced):
    """A published figure, `printed` over `divided_by`, which a constant repeats to so many decimals."""

    table: str
    action: str
    bits_a: Bits
    bits_w: Bits
    bound: Bound
    printed: str
    unit: str
    divided_by: int
    decimals: int


class SramRow(Sourced):
    """A published access of an SRAM in pJ, and how far ours may be from it: from lowest to highest ratio."""

    table: str
    access: Access
    capacity_kib: int
    port_bits: int
    printed: str
    lowest_ratio: Positive
    highest_ratio: Positive


class RatioRow(Sourced):
    """A constant over another one: published, and where ours has to lie."""

    table: str
    action: str
    bits_a: Bits
    bits_w: Bits
    over_action: str
    over_bits_a: Bits
    over_bits_w: Bits
    printed: str
    lowest: Positive
    highest: Positive


@dataclass(frozen=True, slots=True)
class Costs:
    """What is examined: tables by name, accesses of SRAMs, and what these read."""

    table: Callable[[str], EnergyTable] = energy_table
    sram: Callable[[str, int, int, str, str], Sram] = sram
    grids: Grids = field(default_factory=Grids)


@cache
def _rows() -> tuple[EnergyRow, ...]:
    return read_published("energy_rows.csv", EnergyRow)


@cache
def _accesses() -> tuple[SramRow, ...]:
    return read_published("energy_sram.csv", SramRow)


@cache
def _ratios() -> tuple[RatioRow, ...]:
    return read_published("energy_ratios.csv", RatioRow)


def energy_figures(costs: Costs) -> tuple[Comparison, ...]:
    """Every published figure beside ours."""
    return (
        *(_compare_row(costs, row) for row in _rows()),
        *(_compare_access(costs, row) for row in _accesses()),
        *(_compare_ratio(costs, row) for row in _ratios()),
        *grid_figures(costs.grids),
    )


def _compare_row(costs: Costs, row: EnergyRow) -> Comparison:
    ours = _bound(costs.table(row.table).get(row.action, row.bits_a, row.bits_w), row.bound)
    published = Fraction(row.printed) / row.divided_by
    agrees = abs(Fraction(str(ours)) - published) <= Fraction(1, 2 * 10**row.decimals)
    what = f"{row.table}: {Key(row.action, row.bits_a, row.bits_w)}" + (
        "" if row.bound is Bound.VALUE else f", {row.bound} bound"
    )
    quotient = "" if row.divided_by == 1 else f" ({float(published):.6g})"
    return Comparison(what, f"{row.printed} {row.unit}{quotient}", f"{ours:g}", agrees, row.source, row.status)


def _bound(estimate: Estimate, bound: Bound) -> float:
    match bound:
        case Bound.VALUE:
            return estimate.value
        case Bound.LOW:
            return estimate.low
        case Bound.HIGH:
            return estimate.high


def _compare_access(costs: Costs, row: SramRow) -> Comparison:
    found = costs.sram(row.table, row.capacity_kib, row.port_bits, "buffer", row.table)
    ours = found.read_pj if row.access is Access.READ else found.write_pj
    ratio = ours / float(row.printed)
    agrees = row.lowest_ratio * (1 - ROUNDING) <= ratio <= row.highest_ratio * (1 + ROUNDING)
    within = "" if row.lowest_ratio == row.highest_ratio else f" x {row.lowest_ratio:g} to {row.highest_ratio:g}"
    what = f"{row.table}: {row.access} of {row.port_bits} bits, {row.capacity_kib} KiB"
    return Comparison(what, f"{row.printed} pJ{within}", f"{ours:.4g}", agrees, row.source, row.status)


def _compare_ratio(costs: Costs, row: RatioRow) -> Comparison:
    table = costs.table(row.table)
    above = Key(row.action, row.bits_a, row.bits_w)
    below = Key(row.over_action, row.over_bits_a, row.over_bits_w)
    ratio = table.get(*above).value / table.get(*below).value
    what = f"{row.table}: {above} over {below}"
    published = f"{row.printed}, wanted {row.lowest:g} to {row.highest:g}"
    return Comparison(what, published, f"{ratio:.4g}", row.lowest <= ratio <= row.highest, row.source, row.status)
