"""One simulated run: a bundle on an accelerator, its results written, and a compact answer for what follows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixarray.accelerator.load import load_accelerator
from mixarray.images import RATIO_ZERO, is_ratio_zero, simulate_images, simulate_ratio_zero, simulate_uniform
from mixarray.result.run import RunResult, Speedup, TraceUse, Work, run_result, speedup_over, work_of
from mixarray.result.totals import Totals
from mixarray.result.write import trace_path, write_run
from mixarray.trace.bundle import read_bundle
from mixarray_analysis.run_options import DEFAULTS, RunOptions
from mixarray_analysis.simulation import count
from mixarray_analysis.speedup import Counters


@dataclass(frozen=True, slots=True)
class Baseline:
    """The ratio-0 run of the same model on the same accelerator, per image."""

    work: Work
    counters: Counters


@dataclass(frozen=True, slots=True)
class RunTask:
    """A run to do.

    accelerator: preset or YAML file, changed by `overrides`. uniform: (activation bits, weight bits) of a uniform
    run of the bundle's model, None for the bundle as recorded. image: only this one, None for all. baseline: None to
    simulate ratio 0 too. out: an existing directory for the results, or None. options: what runs it, and a timeline.
    """

    bundle: Path
    accelerator: str
    overrides: tuple[str, ...] = ()
    uniform: tuple[int, int] | None = None
    image: int | None = None
    baseline: Baseline | None = None
    out: Path | None = None
    options: RunOptions = DEFAULTS


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """What a run came to, small enough to travel between processes. energy_uj: by component, per image."""

    result: RunResult
    baseline: Baseline
    counters: Counters

    @property
    def totals(self) -> Totals:
        """Totals per image."""
        return self.result.totals

    @property
    def speedup(self) -> Speedup:
        """Over the ratio-0 baseline."""
        if self.result.speedup is None:
            raise ValueError("the run was not compared with a baseline")
        return self.result.speedup


def run_task(task: RunTask) -> RunAnswer:
    """Read, simulate, compare, write; at module level so that it can run in a process of its own.

    Raises InputError for a broken bundle, an impossible accelerator or an image that is not there.
    """
    bundle = read_bundle(task.bundle)
    accelerator = load_accelerator(task.accelerator, task.overrides)
    engine = task.options.engine
    if task.uniform is None:
        simulated = simulate_images(bundle, accelerator, task.image, engine)
    else:
        simulated = simulate_uniform(bundle, accelerator, task.uniform, engine)
    baseline = task.baseline
    if baseline is None:
        same = is_ratio_zero(bundle, task.uniform)
        zero = simulated if same else simulate_ratio_zero(bundle, accelerator, engine)
        baseline = Baseline(work_of(zero), count(zero))
    counters = count(simulated)
    result = run_result(
        simulated,
        source=task.bundle.name,
        trace_sha256=bundle.sha256,
        seed=bundle.manifest.seed,
        speedup=speedup_over(work_of(simulated), baseline.work, RATIO_ZERO),
        trace=TraceUse(path=trace_path(task.bundle, task.out), uniform=task.uniform, image=task.image),
    )
    if task.out is not None:
        write_run(task.out, result, simulated, accelerator)
        task.options.write(task.out, simulated[0][0])
    return RunAnswer(result, baseline, counters)
