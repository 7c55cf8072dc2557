"""Simulating a sweep: every recorded bundle on every accelerator, and what was found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mixarray.accelerator.load import load_accelerator
from mixarray.images import high_bits
from mixarray.trace.bundle import read_bundle
from mixarray_analysis.parallel import run_tasks
from mixarray_analysis.plan import Layout, Plan, check_names
from mixarray_analysis.progress import progress_bar
from mixarray_analysis.runs import Baseline, RunAnswer, RunTask, run_task
from mixarray_analysis.speedup import Verdict, judge
from mixarray_analysis.summary import SummaryRow
from mixarray_traces.quantization.ratios import Asked, choice_of

if TYPE_CHECKING:
    from mixarray_traces.evaluation import EvaluationRow

Runs = Mapping[tuple[str, Asked], RunAnswer]
"""By (accelerator name, ratio)."""
UniformRuns = Mapping[tuple[str, tuple[int, int]], RunAnswer]
"""By (accelerator name, (activation bits, weight bits))."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Counted shares of low and of pruned windows, 0 to 1."""

    low: float
    pruned: float


@dataclass(frozen=True, slots=True)
class Findings:
    """What a sweep found. accuracy: by ratio, empty where nothing was evaluated. actual: shares that really ran."""

    accelerators: tuple[str, ...]
    accuracy: Mapping[Asked, EvaluationRow]
    actual: Mapping[Asked, Shares]
    runs: Runs
    uniform: UniformRuns

    def rows(self, accelerator: str) -> list[SummaryRow]:
        """The summary of one accelerator, by rising ratio."""
        return [
            _row(ratio, self.actual[ratio], self.accuracy.get(ratio), self.runs[accelerator, ratio])
            for ratio in self.ratios
        ]

    @property
    def ratios(self) -> list[Asked]:
        """Rising ratios, first those that prune nothing."""
        return sorted(self.actual, key=lambda asked: choice_of(asked).order)

    def uniform_row(self, accelerator: str, bits: tuple[int, int]) -> SummaryRow:
        """The same numbers of a uniform precision, (activation bits, weight bits); its accuracy is not evaluated."""
        return _row(0, Shares(0.0, 0.0), None, self.uniform[accelerator, bits])

    def verdict(self, accelerator: str, ratio: Asked) -> Verdict:
        """What became of the speedup promised at a ratio."""
        run = self.runs[accelerator, ratio]
        return judge(run.baseline.counters, run.counters, run.speedup.bops_blocks)


def accelerator_names(plan: Plan) -> tuple[str, ...]:
    """Load every accelerator of the plan, so that its mistakes show before anything runs; InputError if one is bad."""
    return check_names(tuple(load_accelerator(name, plan.overrides).name for name in plan.accelerators))


def simulate_plan(plan: Plan, layout: Layout, names: tuple[str, ...]) -> tuple[Runs, UniformRuns]:
    """Simulate and write every run below `layout.root`; the ratio-0 baselines come first, once per accelerator."""
    first = layout.bundle(plan.ratios[0])
    sources = dict(zip(names, plan.accelerators, strict=True))

    def task(
        name: str, bundle: Path, bits: tuple[int, int] | None, baseline: Baseline | None, out: Path | None
    ) -> RunTask:
        if out is not None:
            out.mkdir(parents=True)
        return RunTask(bundle, sources[name], plan.overrides, uniform=bits, baseline=baseline, out=out)

    zero = high_bits(read_bundle(first))
    references = _run([task(name, first, zero, None, None) for name in names], plan, "simulating the baselines")
    baselines = {name: run.baseline for name, run in zip(names, references, strict=True)}
    mixed = [(name, ratio) for name in names for ratio in plan.ratios]
    uniform = [(name, bits) for name in names for bits in plan.uniform]
    tasks = [
        task(name, layout.bundle(ratio), None, baselines[name], layout.run(name, ratio)) for name, ratio in mixed
    ] + [task(name, first, bits, baselines[name], layout.uniform(name, bits)) for name, bits in uniform]
    answers = _run(tasks, plan, "simulating")
    return (
        dict(zip(mixed, answers[: len(mixed)], strict=True)),
        dict(zip(uniform, answers[len(mixed) :], strict=True)),
    )


def _run(tasks: list[RunTask], plan: Plan, label: str) -> list[RunAnswer]:
    with progress_bar(label, plan.quiet) as report:
        return run_tasks(run_task, tasks, plan.jobs, report)


def _row(ratio: Asked, actual: Shares, accuracy: EvaluationRow | None, run: RunAnswer) -> SummaryRow:
    totals, choice = run.totals, choice_of(ratio)
    return SummaryRow(
        ratio=choice.nominal / 1000,
        ratio_actual=actual.low,
        accuracy=accuracy.ap50 if accuracy else math.nan,
        accuracy_low=accuracy.ap50_low if accuracy else math.nan,
        accuracy_high=accuracy.ap50_high if accuracy else math.nan,
        n=accuracy.n if accuracy else 0,
        bops_speedup=run.speedup.bops_blocks,
        simulated_speedup=run.speedup.simulated,
        cycles=totals.cycles,
        latency_ms=totals.latency_ms,
        energy_uj=totals.energy_uj,
        utilization=totals.utilization,
        peak_mac_utilization=totals.peak_mac_utilization,
        pruning=choice.nominal_pruning / 1000,
        pruning_actual=actual.pruned,
        setting=choice.label,
    )
