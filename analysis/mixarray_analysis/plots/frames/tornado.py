"""How a run answers to each field of its accelerator's configuration, one at a time; the run is simulated again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.simulation import simulate
from mixarray.trace.baseline import uniform_workload
from mixarray.trace.workload import Workload
from mixarray_analysis.parallel import run_tasks
from mixarray_analysis.plots.frames.levers import DOWN, OTHER, UP, Variation, variations
from mixarray_analysis.plots.names import Cost
from mixarray_analysis.progress import progress_bar
from mixarray_analysis.subjects import Subject, read_subject

COLUMNS = ["field", "direction", "value", "base_value", "latency_ms", "energy_uj", "base_latency_ms", "base_energy_uj",
           "refused"]  # fmt: skip
COLUMN_OF = {Cost.LATENCY: "latency_ms", Cost.ENERGY: "energy_uj"}
NOTHING_PERCENT = 0.05
"""A change below rounds to 0.0 %."""


@dataclass(frozen=True, slots=True)
class Task:
    """A variation of a run; the run itself where it is None. work: what ran, each with its number of images."""

    run: Path
    work: tuple[tuple[Workload, int], ...]
    overrides: tuple[str, ...]
    variation: Variation | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task came to: the value that ran, or why none did."""

    value: str
    latency_ms: float | None
    energy_uj: float | None
    refused: str


def tornado_frame(run: Path, overrides: Sequence[str] = (), jobs: int = 1, quiet: bool = True) -> pd.DataFrame:
    """Latency and energy per image, one row per field and value (COLUMNS): half and twice of numbers, other choices.

    Where half or twice is refused, the next whole number is tried. `refused` says why none ran; then there is no
    result. Channels of DRAM are turned together, since they must be alike. `overrides` change the accelerator first.
    Raises InputError for a run of no bundle, or where the accelerator itself cannot run it.
    """
    changed, work = tuple(overrides), workloads(read_subject(run))
    turned = list(variations(_machine(run, changed)))
    tasks = [Task(run, work, changed, one) for one in (None, *turned)]
    with progress_bar("turning fields", quiet) as report:
        base, *outcomes = run_tasks(turn, tasks, jobs, report)
    rows = [
        (one.field, one.direction, found.value, one.base_value, found.latency_ms, found.energy_uj, base.latency_ms,
         base.energy_uj, found.refused)
        for one, found in zip(turned, outcomes, strict=True)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=COLUMNS)
    numbers = COLUMNS[4:8]
    return frame.astype(dict.fromkeys(numbers, float))


def changes_percent(shown: pd.DataFrame, cost: Cost) -> pd.DataFrame:
    """Change of a cost in per cent by lever (rows) and direction (columns), of what ran; 0 where there is none.

    A lever is a number with what it was set to (`arrays.0.rows: 16, 64`; `-` where that was refused), or a choice
    (`mapping.transpose: pass`).
    """
    column = COLUMN_OF[cost]
    change = 100 * (shown[column] / shown[f"base_{column}"] - 1)
    ran = shown.assign(lever=_levers(shown), change=change)[shown["refused"] == ""]
    changes = ran.pivot(index="lever", columns="direction", values="change")
    return changes.reindex(index=ran["lever"].unique(), columns=[DOWN, UP, OTHER]).fillna(0.0)


def _levers(shown: pd.DataFrame) -> list[str]:
    """The lever that each row is of."""
    values = shown["value"].where(shown["value"] != "", "-")
    pairs = values[shown["direction"] != OTHER].groupby(shown["field"]).agg(", ".join)
    every = zip(shown["field"], shown["direction"], values, strict=True)
    return [f"{field}: {value if direction == OTHER else pairs[field]}" for field, direction, value in every]


def tornado_notes(shown: pd.DataFrame, cost: Cost) -> list[str]:
    """What changes nothing, and which values were refused, with the reason."""
    most = changes_percent(shown, cost).abs().max(axis=1)
    still = [str(lever) for lever in most.index[most < NOTHING_PERCENT]]
    refused = shown[shown["refused"] != ""]
    return [
        *([f"these change nothing: {'; '.join(still)}"] if still else []),
        *(f"refused: {field} = {why}" for field, why in zip(refused["field"], refused["refused"], strict=True)),
    ]


def _machine(run: Path, overrides: tuple[str, ...]) -> Accelerator:
    return load_accelerator(str(run / "accelerator.yaml"), overrides)


def turn(task: Task) -> Outcome:
    """Simulate the first value that the accelerator and the run allow."""
    if task.variation is None:
        return _simulated(task, (), "")
    reasons = []
    for value in task.variation.values:
        try:
            return _simulated(task, tuple(f"{path}={value}" for path in task.variation.paths), value)
        except InputError as error:
            reasons.append(f"{value}: {error.message}")
    return Outcome("", None, None, "; ".join(reasons) or "there is no smaller value")


def _simulated(task: Task, changed: tuple[str, ...], value: str) -> Outcome:
    """Means over the images of the run."""
    machine = _machine(task.run, (*task.overrides, *changed))
    images = sum(number for _, number in task.work)
    cycles, spent_pj = 0, 0.0
    for workload, number in task.work:
        done = simulate(workload, machine)
        cycles += done.execution.total_cycles * number
        spent_pj += done.energy.total_pj * number
    return Outcome(value, cycles / images / (machine.clock_mhz * 1000), spent_pj / images / 1e6, "")


def workloads(subject: Subject) -> tuple[tuple[Workload, int], ...]:
    """What a run ran, each with the number of images it stands for."""
    if subject.uniform is not None:
        return ((uniform_workload(subject.bundle, *subject.uniform), 1),)
    if subject.image is not None:
        return ((subject.bundle.workload(subject.image), 1),)
    return tuple((workload, len(images)) for workload, images in subject.bundle.distinct_workloads())
