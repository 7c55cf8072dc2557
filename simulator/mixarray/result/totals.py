"""Totals of a run: means per image, batch 1, whole network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import fsum

from pydantic import BaseModel, ConfigDict, Field

from mixarray.cost.area import NOT_IN_IT, area_mm2
from mixarray.cost.tables import Estimate, energy_table
from mixarray.mapping.schedule import dram_bits
from mixarray.result.ports import BufferUse, buffer_use
from mixarray.simulation import Simulation

Weighted = Sequence[tuple[Simulation, int]]
"""Simulations, each with the number of images it stands for."""
OPERATIONS_PER_MAC = 2


class Totals(BaseModel):
    """Means over the images; a count stays an integer when the mean is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cycles: int | float = Field(description="array clock cycles until the last result")
    latency_ms: float = Field(description="cycles at the accelerator's clock")
    energy_uj: float = Field(description="energy in microjoule")
    energy_low_uj: float = Field(description="energy with every constant at its low end")
    energy_high_uj: float = Field(description="energy with every constant at its high end")
    edp_uj_ms: float = Field(description="energy times delay: energy_uj x latency_ms")
    edp_low_uj_ms: float = Field(description="energy_low_uj x latency_ms")
    edp_high_uj_ms: float = Field(description="energy_high_uj x latency_ms")
    macs: int | float = Field(description="multiply-accumulates that ran")
    utilization: float = Field(description="PE-cycles doing a useful MAC pass over PEs x cycles")
    peak_mac_utilization: float = Field(description="MACs over PEs x most lanes of any mode x cycles")
    tops: float = Field(description="10^12 operations per second: 2 per MAC that ran, at the precision it ran at")
    tops_per_watt: float = Field(description="operations (2 per MAC that ran) per picojoule")
    tops_per_watt_low: float = Field(description="the same with the high end of the energy")
    tops_per_watt_high: float = Field(description="the same with the low end of the energy")
    area_mm2: float | None = Field(description=f"PEs and buffers; not in it: {NOT_IN_IT}; null: table without areas")
    area_low_mm2: float | None = Field(description="area with every constant at its low end")
    area_high_mm2: float | None = Field(description="area with every constant at its high end")
    tops_per_mm2: float | None = Field(description="tops over area_mm2")
    tops_per_mm2_low: float | None = Field(description="tops over area_high_mm2")
    tops_per_mm2_high: float | None = Field(description="tops over area_low_mm2")
    dram_read_bits: int | float = Field(description="bits read from DRAM, whole bursts")
    dram_write_bits: int | float = Field(description="bits written to DRAM, whole bursts")
    buffers: tuple[BufferUse, ...] = Field(description="accesses of each buffer beside what one port serves")
    jobs: int | float = Field(description="jobs of the Schedule that ran")


def totals_of(simulations: Weighted) -> Totals:
    """Totals of simulations on one accelerator, weighted by their images; utilization is that of all together."""
    accelerator = simulations[0][0].accelerator
    executions = [(s.execution, images) for s, images in simulations]
    cycles = mean((e.total_cycles, n) for e, n in executions)
    macs = mean((e.macs, n) for e, n in executions)
    useful = mean((e.useful_pe_cycles, n) for e, n in executions)
    pes = sum(array.pes for array in accelerator.arrays)
    most_macs = sum(array.pes * array.largest_lanes for array in accelerator.arrays)
    latency_ms = float(cycles) / (accelerator.clock_mhz * 1000)
    spent = Estimate(
        value=_microjoule((s.energy.total_pj, n) for s, n in simulations),
        low=_microjoule((s.energy.low_pj, n) for s, n in simulations),
        high=_microjoule((s.energy.high_pj, n) for s, n in simulations),
    )
    operations = OPERATIONS_PER_MAC * float(macs)
    tops = _ratio(operations, latency_ms * 1e9)
    area = area_mm2(accelerator, energy_table(accelerator.energy_table))
    return Totals(
        cycles=plain(cycles),
        latency_ms=latency_ms,
        energy_uj=spent.value,
        energy_low_uj=spent.low,
        energy_high_uj=spent.high,
        edp_uj_ms=spent.value * latency_ms,
        edp_low_uj_ms=spent.low * latency_ms,
        edp_high_uj_ms=spent.high * latency_ms,
        macs=plain(macs),
        utilization=_share(useful, pes * cycles),
        peak_mac_utilization=_share(macs, most_macs * cycles),
        tops=tops,
        tops_per_watt=_ratio(operations, spent.value * 1e6),
        tops_per_watt_low=_ratio(operations, spent.high * 1e6),
        tops_per_watt_high=_ratio(operations, spent.low * 1e6),
        area_mm2=None if area is None else area.value,
        area_low_mm2=None if area is None else area.low,
        area_high_mm2=None if area is None else area.high,
        tops_per_mm2=None if area is None else _ratio(tops, area.value),
        tops_per_mm2_low=None if area is None else _ratio(tops, area.high),
        tops_per_mm2_high=None if area is None else _ratio(tops, area.low),
        dram_read_bits=plain(mean((dram_bits(e.actions.items(), "read_bits"), n) for e, n in executions)),
        dram_write_bits=plain(mean((dram_bits(e.actions.items(), "write_bits"), n) for e, n in executions)),
        buffers=buffer_use(accelerator, ((e.actions, n) for e, n in executions), cycles),
        jobs=plain(mean((e.jobs, n) for e, n in executions)),
    )


def mean(values: Iterable[tuple[int, int]]) -> Fraction:
    """Exact mean of (value, weight) pairs."""
    pairs = list(values)
    return Fraction(sum(value * weight for value, weight in pairs), sum(weight for _, weight in pairs))


def plain(value: Fraction) -> int | float:
    """An integer where it is one."""
    return value.numerator if value.denominator == 1 else float(value)


def _microjoule(values: Iterable[tuple[float, int]]) -> float:
    pairs = list(values)
    return fsum(pj * weight for pj, weight in pairs) / sum(weight for _, weight in pairs) / 1e6


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _share(part: Fraction, whole: Fraction) -> float:
    return float(part / whole) if whole else 0.0
