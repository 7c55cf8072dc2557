"""How long a stream lasts under any set of effects: the only place where these durations are defined.

Bit operations as published are the start; each effect that is on multiplies the work by what it adds, and the product
is rounded up to whole ticks. With all four on the result is the stream's own occupancy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm

from mixarray.accelerator.model import Accelerator, Array
from mixarray.accelerator.modes import Mode
from mixarray.engine.effects import Effect, Effects
from mixarray.mapping.schedule import Job


@dataclass(frozen=True, slots=True)
class Peak:
    """What the arrays of a machine can do at best.

    bit_products_per_cycle: bits x bits that all arrays together multiply per cycle, each in its best mode.
    ticks_per_cycle: parts of a cycle in which bit operations and lanes take whole numbers on every array.
    """

    bit_products_per_cycle: Fraction
    ticks_per_cycle: int


def peak_of(accelerator: Accelerator) -> Peak:
    """The peak of all arrays of a machine."""
    total = sum((_array_peak(array) for array in accelerator.arrays), Fraction(0))
    lanes = [array.pes * mode.lanes for array in accelerator.arrays for mode in array.pe_modes]
    return Peak(total, lcm(total.numerator, *lanes))


def _array_peak(array: Array) -> Fraction:
    return max(array.pes * _bit_products(mode) for mode in array.pe_modes)


def _bit_products(mode: Mode) -> Fraction:
    """Bits x bits that a PE multiplies per cycle in a mode."""
    return Fraction(mode.stream_bits * mode.stationary_bits * mode.lanes, mode.slots_per_value)


@dataclass(frozen=True, slots=True)
class StreamWork:
    """One stream's work, from bit operations to cycles.

    published_bits: MACs x the rows' bits x the constant weight bits, 0 outside the blocks. operand_bits: MACs x bits of
    both operands. mode_bits: the same at the bits of the modes that run them. lane_cycles: MACs at the rate of their
    mode with every lane of every PE busy. occupancy_cycles: what the Schedule says.
    """

    published_bits: int
    operand_bits: int
    mode_bits: int
    lane_cycles: Fraction
    occupancy_cycles: int


def stream_work(job: Job, in_block: bool, weight_bits: int, pes: int) -> StreamWork:
    """The work of a stream on an array of `pes` PEs; `weight_bits`: the constant factor of published bit operations.

    Raises ValueError where it multiplies nothing, or does so faster than the array can.
    """
    if not job.products or not job.macs:
        raise ValueError(f"a stream of operator {job.operator} does not say what it multiplies")
    products = job.products
    lane_cycles = sum((Fraction(p.macs * p.per_pe_cycle[1], p.per_pe_cycle[0] * pes) for p in products), Fraction(0))
    if lane_cycles > job.occupancy_cycles:
        raise ValueError(f"a stream of operator {job.operator} is faster than all lanes of its array")
    return StreamWork(
        published_bits=weight_bits * sum(p.macs * p.row_bits for p in products) if in_block else 0,
        operand_bits=sum(p.macs * p.row_bits * p.other_bits for p in products),
        mode_bits=sum(p.macs * p.mode_bits[0] * p.mode_bits[1] for p in products),
        lane_cycles=lane_cycles,
        occupancy_cycles=job.occupancy_cycles,
    )


def stream_ticks(work: StreamWork, effects: Effects, peak: Peak, ticks_per_cycle: int) -> int:
    """Ticks that the stream occupies its array with these effects on, rounded up."""
    rate = peak.bit_products_per_cycle
    steps: Iterable[tuple[Effect, Fraction]] = (
        (Effect.MODES, Fraction(work.mode_bits, work.operand_bits)),
        (Effect.LANES, work.lane_cycles * rate / work.mode_bits),
        (Effect.FOLD_EDGES, work.occupancy_cycles / work.lane_cycles),
    )
    cycles = (work.operand_bits if Effect.OPERAND_BITS in effects else work.published_bits) / rate
    for effect, factor in steps:
        if effect in effects:
            cycles *= factor
    return ceil(cycles * ticks_per_cycle)
