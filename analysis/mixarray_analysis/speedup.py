"""Where the promised speedup went: the share that arrived, and the largest cause of the rest, from counters.

The promise is the speedup in bit operations as published (scope `bops_blocks`). If it held everywhere, every cycle
of the ratio-0 run's critical chain would shrink by it; what a (unit, kind) holds above that is its part of the loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

UnitKind = tuple[str, str]
"""(unit name, job kind): the grain of the attribution."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What one run tells about its speed; per image, batch 1.

    attributed_cycles: cycles of the critical chain by (unit, kind), they sum to total_cycles. gemm_array_cycles:
    cycles that each GEMM occupies the array (streams) and its weight port (loads), by operator name. dram_bits: bits
    on the bus, both directions.
    """

    total_cycles: float
    attributed_cycles: Mapping[UnitKind, float]
    gemm_array_cycles: Mapping[str, float]
    dram_bits: float


@dataclass(frozen=True, slots=True)
class Cause:
    """A (unit, kind) whose attributed cycles shrank less than promised.

    before_cycles: attributed in the ratio-0 run; after_cycles: in the run; allowed_cycles: before / promised speedup.
    """

    unit: str
    kind: str
    before_cycles: float
    after_cycles: float
    allowed_cycles: float

    @property
    def excess_cycles(self) -> float:
        """Cycles above what the promise allows."""
        return self.after_cycles - self.allowed_cycles


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a promised speedup.

    promised: speedup in BOPs; simulated: in cycles, same accelerator and model at ratio 0. share: (simulated - 1) /
    (promised - 1), negative for a slowdown, None where nothing was promised. causes: largest excess first.
    gemms_faster of gemms took fewer array cycles than at ratio 0. dram_bits_before / _after: bits on the bus.
    """

    promised: float
    simulated: float
    share: float | None
    causes: tuple[Cause, ...]
    gemms: int
    gemms_faster: int
    dram_bits_before: float
    dram_bits_after: float


def arrived_share(promised: float, simulated: float) -> float | None:
    """(simulated - 1) / (promised - 1); None where the promise is no speedup."""
    return (simulated - 1) / (promised - 1) if promised > 1 else None


def find_causes(before: Counters, after: Counters, promised: float) -> tuple[Cause, ...]:
    """Every (unit, kind) that either run's chain passes through, by falling excess, ties by name."""
    keys = set(before.attributed_cycles) | set(after.attributed_cycles)
    causes = [
        Cause(
            unit=unit,
            kind=kind,
            before_cycles=before.attributed_cycles.get((unit, kind), 0),
            after_cycles=after.attributed_cycles.get((unit, kind), 0),
            allowed_cycles=before.attributed_cycles.get((unit, kind), 0) / promised,
        )
        for unit, kind in keys
    ]
    return tuple(sorted(causes, key=lambda cause: (-cause.excess_cycles, cause.unit, cause.kind)))


def judge(before: Counters, after: Counters, promised: float) -> Verdict:
    """Compare a run with its ratio-0 baseline, given the speedup that BOPs promise.

    Raises ValueError when the runs do not have the same GEMMs or the promise is not positive.
    """
    if promised <= 0:
        raise ValueError(f"a promised speedup of {promised} is not positive")
    if set(before.gemm_array_cycles) != set(after.gemm_array_cycles):
        raise ValueError("the runs have different GEMMs: they are not the same model")
    simulated = before.total_cycles / after.total_cycles
    faster = sum(after.gemm_array_cycles[name] < cycles for name, cycles in before.gemm_array_cycles.items())
    return Verdict(
        promised=promised,
        simulated=simulated,
        share=arrived_share(promised, simulated),
        causes=find_causes(before, after, promised),
        gemms=len(before.gemm_array_cycles),
        gemms_faster=faster,
        dram_bits_before=before.dram_bits,
        dram_bits_after=after.dram_bits,
    )
