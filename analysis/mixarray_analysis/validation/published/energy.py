"""Constants of the energy tables, reads of the SRAM grids and the price of 4 bits, beside published figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache

from mixarray.cost.rows import Bits, Positive
from mixarray.cost.sram import Sram, sram
from mixarray.cost.tables import EnergyTable, Estimate, energy_table
from mixarray_analysis.validation.published.figure import Comparison, Sourced, read_published

ROUNDING = 1e-12
"""Relative difference of two binary floating-point numbers that mean the same decimal one."""


class Bound(StrEnum):
    """Which number of an estimate a source gave."""

    VALUE = "value"
    LOW = "low"
    HIGH = "high"


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
    """A published read of an SRAM in pJ, and how far ours may be from it: from lowest to highest ratio."""

    table: str
    capacity_kib: int
    port_bits: int
    printed: str
    lowest_ratio: Positive
    highest_ratio: Positive


class RatioRow(Sourced):
    """The energy of one PE cycle at `bits` over that at `over_bits`: published, and where ours has to lie."""

    table: str
    action: str
    bits: int
    over_bits: int
    printed: str
    lowest: Positive
    highest: Positive


@dataclass(frozen=True, slots=True)
class Costs:
    """What is examined: tables by name, and reads of SRAMs."""

    table: Callable[[str], EnergyTable] = energy_table
    sram: Callable[[str, int, int, str, str], Sram] = sram


@cache
def _rows() -> tuple[EnergyRow, ...]:
    return read_published("energy_rows.csv", EnergyRow)


@cache
def _reads() -> tuple[SramRow, ...]:
    return read_published("energy_sram.csv", SramRow)


@cache
def _ratios() -> tuple[RatioRow, ...]:
    return read_published("energy_ratios.csv", RatioRow)


def energy_figures(costs: Costs) -> tuple[Comparison, ...]:
    """Every published figure beside ours."""
    return (
        *(_compare_row(costs, row) for row in _rows()),
        *(_compare_read(costs, row) for row in _reads()),
        *(_compare_ratio(costs, row) for row in _ratios()),
    )


def _compare_row(costs: Costs, row: EnergyRow) -> Comparison:
    ours = _bound(costs.table(row.table).get(row.action, row.bits_a, row.bits_w), row.bound)
    published = Fraction(row.printed) / row.divided_by
    agrees = abs(Fraction(str(ours)) - published) <= Fraction(1, 2 * 10**row.decimals)
    bits = f" {row.bits_a}x{row.bits_w}" if row.bits_a else ""
    what = f"{row.table}: {row.action}{bits}" + ("" if row.bound is Bound.VALUE else f", {row.bound} bound")
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


def _compare_read(costs: Costs, row: SramRow) -> Comparison:
    ours = costs.sram(row.table, row.capacity_kib, row.port_bits, "buffer", row.table).read_pj
    ratio = ours / float(row.printed)
    agrees = row.lowest_ratio * (1 - ROUNDING) <= ratio <= row.highest_ratio * (1 + ROUNDING)
    within = "" if row.lowest_ratio == row.highest_ratio else f" x {row.lowest_ratio:g} to {row.highest_ratio:g}"
    what = f"{row.table}: read of {row.port_bits} bits from {row.capacity_kib} KiB"
    return Comparison(what, f"{row.printed} pJ{within}", f"{ours:.4g}", agrees, row.source, row.status)


def _compare_ratio(costs: Costs, row: RatioRow) -> Comparison:
    narrow, wide = (costs.table(row.table).get(row.action, bits, bits).value for bits in (row.bits, row.over_bits))
    ratio = narrow / wide
    what = f"{row.table}: {row.action} {row.bits}x{row.bits} over {row.over_bits}x{row.over_bits}"
    published = f"{row.printed}, wanted {row.lowest:g} to {row.highest:g}"
    return Comparison(what, published, f"{ratio:.4g}", row.lowest <= ratio <= row.highest, row.source, row.status)
