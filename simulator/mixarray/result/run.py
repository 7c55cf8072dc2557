"""`run.json`: one run of a trace on one accelerator, with everything needed to repeat it and no time of day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from mixarray.accelerator.write import accelerator_sha256
from mixarray.engine.digest import executions_sha256
from mixarray.mapping.schedule import JobKind
from mixarray.provenance import git_revision, package_versions
from mixarray.result.balance import Balance, balance_of
from mixarray.result.own_work import OwnWork, own_work
from mixarray.result.totals import Totals, Weighted, plain, totals_of
from mixarray.trace.bops import bops

SCHEMA_VERSION: Literal["1.0"] = "1.0"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Speedup(_Frozen):
    """Speedups over the named baseline, in three scopes."""

    baseline: str = Field(description="what the speedups are over")
    baseline_cycles: int | float
    bops_blocks: float = Field(description="promised: bit operations of the blocks, linear in activation bits")
    gemms: float = Field(description="cycles that rows stream through the arrays: of the baseline over this run's")
    simulated: float = Field(description="cycles of the baseline over cycles of this run, whole network")


@dataclass(frozen=True, slots=True)
class Work:
    """What speedups compare, means per image.

    bops: bit operations of the blocks, as published, from the rows that ran. stream_cycles: cycles that rows stream
    through all arrays together. total_cycles: until the last result.
    """

    bops: float
    stream_cycles: Fraction
    total_cycles: float


class EnergyEntry(_Frozen):
    """Energy of one action of one component, mean per image, with its band."""

    component: str
    action: str
    count: int | float
    pj: float
    low_pj: float
    high_pj: float


class AttributionEntry(_Frozen):
    """Cycles of the critical chain that belong to a (unit, kind), mean per image; over all entries: totals.cycles."""

    unit: str
    kind: JobKind
    cycles: int | float


class TraceUse(_Frozen):
    """Where the bundle of a run lies, and what of it ran: enough to run it again."""

    path: str = Field(description="the bundle, seen from this file's directory; as given where no file is written")
    uniform: tuple[int, int] | None = Field(description="(activation, weight) bits of a uniform run; null: as recorded")
    image: int | None = Field(description="the only image that ran; null: all")


class RunResult(_Frozen):
    """The content of `run.json`."""

    schema_version: Literal["1.0"]
    source: str = Field(description="what was simulated: a trace, a topology file, or the GEMM")
    trace_sha256: str | None = Field(description="hash of the trace's manifest, topology or GEMMs; null for one GEMM")
    trace: TraceUse | None = Field(description="null where the source is no bundle")
    accelerator: str
    accelerator_sha256: str = Field(description="hash of accelerator.yaml beside this file")
    images: int = Field(description="images the means are over")
    git_revision: str
    versions: Mapping[str, str]
    seed: int | None = Field(description="seed of the trace; null where there is none")
    engine: str
    execution_sha256: str = Field(description="hash over the counters of all simulations, whichever engine ran them")
    energy_model: str = Field(description="tables and choices behind the energies")
    totals: Totals
    speedup: Speedup | None
    widened: tuple[str, ...] = Field(description="operand pairs (streaming x stationary bits) that ran in a wider mode")
    energy: tuple[EnergyEntry, ...]
    attribution: tuple[AttributionEntry, ...] = Field(description="empty unless the timeline was kept")
    balance: Balance = Field(description="how the arrays share the work")
    own_work: OwnWork = Field(description="what windows of different bits cost beside GEMMs")

    def to_json(self) -> str:
        """The text of `run.json`."""
        return self.model_dump_json(indent=2) + "\n"


def speedup_over(work: Work, reference: Work, baseline: str) -> Speedup:
    """Speedups of `work` over `reference`: the same images at the precision that `baseline` names."""
    return Speedup(
        baseline=baseline,
        baseline_cycles=reference.total_cycles,
        bops_blocks=reference.bops / work.bops,
        gemms=float(reference.stream_cycles / work.stream_cycles),
        simulated=reference.total_cycles / work.total_cycles,
    )


def work_of(simulations: Weighted) -> Work:
    """Bit operations and cycles of simulations on one accelerator."""
    images = sum(n for _, n in simulations)
    return Work(
        bops=sum(bops(s.workload) * n for s, n in simulations) / images,
        stream_cycles=_stream_cycles(simulations),
        total_cycles=sum(s.execution.total_cycles * n for s, n in simulations) / images,
    )


def _stream_cycles(simulations: Weighted) -> Fraction:
    total = sum(
        cycles * n
        for s, n in simulations
        for (_, kind), cycles in s.execution.busy_cycles.items()
        if kind is JobKind.STREAM
    )
    return Fraction(total, sum(n for _, n in simulations))


def run_result(
    simulations: Weighted,
    *,
    source: str,
    trace_sha256: str | None,
    seed: int | None,
    speedup: Speedup | None,
    trace: TraceUse | None = None,
) -> RunResult:
    """Gather what was simulated (all on one accelerator) into one result; means are over the images."""
    first = simulations[0][0]
    return RunResult(
        schema_version=SCHEMA_VERSION,
        source=source,
        trace_sha256=trace_sha256,
        trace=trace,
        accelerator=first.accelerator.name,
        accelerator_sha256=accelerator_sha256(first.accelerator),
        images=sum(n for _, n in simulations),
        git_revision=git_revision(),
        versions=package_versions(),
        seed=seed,
        engine=first.execution.engine,
        execution_sha256=executions_sha256((s.execution, n) for s, n in simulations),
        energy_model=first.energy.note,
        totals=totals_of(simulations),
        speedup=speedup,
        widened=widened_of(simulations),
        energy=_energy(simulations),
        attribution=_attribution(simulations),
        balance=balance_of(simulations),
        own_work=own_work(simulations),
    )


def widened_of(simulations: Weighted) -> tuple[str, ...]:
    """Operand pairs that gained nothing from their bits, for example `8x4 in 8x8`, sorted."""
    found = set()
    for simulation, _ in simulations:
        accelerator = simulation.accelerator
        for group in (g for o in simulation.workload.operators if o.macs for g in o.groups):
            index, mode = accelerator.array_for(group.stream_bits, group.stationary_bits)
            needed = accelerator.arrays[index].roles(group.stream_bits, group.stationary_bits)
            if mode.widens(*needed):
                used = mode.stream_bits, mode.stationary_bits
                found.add(f"{needed[0]}x{needed[1]} in {used[0]}x{used[1]}")
    return tuple(sorted(found))


def _energy(simulations: Weighted) -> tuple[EnergyEntry, ...]:
    images = sum(n for _, n in simulations)
    counts: Counter[tuple[str, str]] = Counter()
    spent: dict[tuple[str, str], list[float]] = {}
    for simulation, n in simulations:
        for item in simulation.energy.items:
            key = item.component, item.action
            counts[key] += item.count * n
            sums = spent.setdefault(key, [0.0, 0.0, 0.0])
            for place, pj in enumerate((item.pj, item.low_pj, item.high_pj)):
                sums[place] += pj * n
    return tuple(
        EnergyEntry(
            component=key[0],
            action=key[1],
            count=plain(Fraction(counts[key], images)),
            pj=spent[key][0] / images,
            low_pj=spent[key][1] / images,
            high_pj=spent[key][2] / images,
        )
        for key in sorted(spent)
    )


def _attribution(simulations: Weighted) -> tuple[AttributionEntry, ...]:
    if any(s.attribution is None for s, _ in simulations):
        return ()
    images = sum(n for _, n in simulations)
    cycles: Counter[tuple[str, JobKind]] = Counter()
    for simulation, n in simulations:
        if simulation.attribution is not None:
            for key, value in simulation.attribution.by_unit_and_kind().items():
                cycles[key] += value * n
    ordered = sorted(cycles.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(
        AttributionEntry(unit=unit, kind=kind, cycles=plain(Fraction(value, images))) for (unit, kind), value in ordered
    )
