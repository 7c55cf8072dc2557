"""Totals of a run: means per image, batch 1, whole network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from pydantic import BaseModel, ConfigDict, Field

from mixarray.mapping.schedule import Action
from mixarray.simulate import Simulation

Weighted = Sequence[tuple[Simulation, int]]
"""Simulations, each with the number of images it stands for."""


class Totals(BaseModel):
    """Means over the images; a count stays an integer when the mean is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cycles: int | float = Field(description="array clock cycles until the last result")
    latency_ms: float = Field(description="cycles at the accelerator's clock")
    energy_uj: float = Field(description="energy in microjoule")
    energy_low_uj: float = Field(description="energy with every constant at its low end")
    energy_high_uj: float = Field(description="energy with every constant at its high end")
    macs: int | float = Field(description="multiply-accumulates that ran")
    utilization: float = Field(description="PE-cycles doing a useful MAC pass over PEs x cycles")
    peak_mac_utilization: float = Field(description="MACs over PEs x most lanes of any mode x cycles")
    dram_read_bits: int | float = Field(description="bits read from DRAM, whole bursts")
    dram_write_bits: int | float = Field(description="bits written to DRAM, whole bursts")
    jobs: int | float = Field(description="jobs of the Schedule that ran")


def totals_of(simulations: Weighted) -> Totals:
    """Totals of simulations on one accelerator, weighted by their images; utilization is that of all together."""
    accelerator = simulations[0][0].accelerator
    array = accelerator.arrays[0]
    executions = [(s.execution, images) for s, images in simulations]
    cycles = mean((e.total_cycles, n) for e, n in executions)
    macs = mean((e.macs, n) for e, n in executions)
    useful = mean((e.useful_pe_cycles, n) for e, n in executions)
    pe_cycles = array.pes * cycles
    return Totals(
        cycles=plain(cycles),
        latency_ms=float(cycles) / (accelerator.clock_mhz * 1000),
        energy_uj=_microjoule((s.energy.total_pj, n) for s, n in simulations),
        energy_low_uj=_microjoule((s.energy.low_pj, n) for s, n in simulations),
        energy_high_uj=_microjoule((s.energy.high_pj, n) for s, n in simulations),
        macs=plain(macs),
        utilization=_share(useful, pe_cycles),
        peak_mac_utilization=_share(macs, pe_cycles * array.largest_lanes),
        dram_read_bits=plain(mean((dram_bits(e.actions.items(), "read_bits"), n) for e, n in executions)),
        dram_write_bits=plain(mean((dram_bits(e.actions.items(), "write_bits"), n) for e, n in executions)),
        jobs=plain(mean((e.jobs, n) for e, n in executions)),
    )


def mean(values: Iterable[tuple[int, int]]) -> Fraction:
    """Exact mean of (value, weight) pairs."""
    pairs = list(values)
    return Fraction(sum(value * weight for value, weight in pairs), sum(weight for _, weight in pairs))


def plain(value: Fraction) -> int | float:
    """An integer where it is one."""
    return value.numerator if value.denominator == 1 else float(value)


def dram_bits(actions: Iterable[tuple[Action, int]], name: str) -> int:
    """Bits that all DRAM channels moved under the action `name` (`read_bits` or `write_bits`)."""
    return sum(n for action, n in actions if action.component.startswith("dram_channels.") and action.name == name)


def _microjoule(values: Iterable[tuple[float, int]]) -> float:
    pairs = list(values)
    return sum(pj * weight for pj, weight in pairs) / sum(weight for _, weight in pairs) / 1e6


def _share(part: Fraction, whole: Fraction) -> float:
    return float(part / whole) if whole else 0.0
