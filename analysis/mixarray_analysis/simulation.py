"""The counters of a simulated bundle that sentences are built from: means per image."""

from __future__ import annotations

from collections import Counter

from mixarray.images import Simulated
from mixarray.mapping.schedule import JobKind, dram_bits
from mixarray.simulation import Simulation
from mixarray.trace.model import OperatorKind
from mixarray_analysis.speedup import Counters, UnitKind

ARRAY_WORK = (JobKind.STREAM, JobKind.ARRAY_LOAD, JobKind.DRAIN)


def count(simulated: Simulated) -> Counters:
    """Counters per image, means over the images; every simulation must carry its attribution."""
    images = _images(simulated)
    attributed: Counter[UnitKind] = Counter()
    gemms: Counter[str] = Counter()
    moved_bits = total_cycles = 0
    for run, number in simulated:
        if run.attribution is None:
            raise ValueError("the simulation was run without a timeline: nothing is attributed")
        for (unit, kind), cycles in run.attribution.by_unit_and_kind().items():
            attributed[unit, kind.value] += cycles * number
        for name, cycles in _gemm_array_cycles(run).items():
            gemms[name] += cycles * number
        moved_bits += dram_bits(run.execution.actions.items()) * number
        total_cycles += run.execution.total_cycles * number
    return Counters(
        total_cycles=total_cycles / images,
        attributed_cycles={key: cycles / images for key, cycles in attributed.items()},
        gemm_array_cycles={name: cycles / images for name, cycles in gemms.items()},
        dram_bits=moved_bits / images,
    )


def _images(simulated: Simulated) -> int:
    return sum(number for _, number in simulated)


def _gemm_array_cycles(run: Simulation) -> dict[str, int]:
    """Cycles that each GEMM's streams occupy the array, its loads the weight port and its drains the result port."""
    return {
        grouped.operator.name: sum(cycles for (_, kind), cycles in counts.busy_cycles.items() if kind in ARRAY_WORK)
        for grouped, counts in zip(run.workload.operators, run.execution.operators, strict=True)
        if grouped.operator.kind is OperatorKind.GEMM
    }
