"""The runs that lie in a sweep of ratios or a demo: totals beside its rows, uniform ones, and what ran them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixarray.result.read import read_run
from mixarray.result.run import RunResult
from mixarray.result.totals import Totals
from mixarray_analysis.plan import uniform_name

BESIDE = ("energy_low_uj", "energy_high_uj", "dram_read_bits", "dram_write_bits")
"""Totals that the rows of a summary lack."""
OF_ROWS = ("cycles", "latency_ms", "energy_uj", "utilization", *BESIDE)
HASHES = ("trace_sha256", "accelerator_sha256", "execution_sha256")
SHARED = ("git_revision", "versions", "seed", "engine", "energy_model", "schema_version")
"""What the runs of a sweep have in common, as a rule."""


@dataclass(frozen=True, slots=True)
class SweepRun:
    """A run below a sweep. place: its directory."""

    place: Path
    result: RunResult


def runs_of(sweep: Path) -> tuple[SweepRun, ...]:
    """The runs that lie in a sweep, by directory; none in a sweep of a specification. InputError for a broken one."""
    places = sorted(file.parent for file in sweep.glob("runs/*/*/run.json"))
    return tuple(SweepRun(place, read_run(place)) for place in places)


def totals_beside(runs: Sequence[SweepRun], row: dict[str, Any]) -> dict[str, Any]:
    """BESIDE of the run that a row of a summary is of: that of its accelerator with its cycles and energy."""
    for run in runs:
        totals = run.result.totals
        if (run.result.accelerator, totals.cycles, totals.energy_uj) == (
            row["accelerator"],
            row["cycles"],
            row["energy_uj"],
        ):
            return {name: getattr(totals, name) for name in BESIDE}
    return {}


def uniform_rows(runs: Sequence[SweepRun]) -> list[dict[str, Any]]:
    """The uniform runs as rows of a summary, the widest bits first."""
    found = []
    for run in runs:
        trace, speedup = run.result.trace, run.result.speedup
        if trace is not None and trace.uniform is not None and speedup is not None:
            named = {"series": run.result.accelerator, "setting": f"uniform {uniform_name(trace.uniform)}"}
            speedups = {"bops_speedup": speedup.bops_blocks, "simulated_speedup": speedup.simulated}
            found.append((trace.uniform, {**named, **speedups, **_of_rows(run.result.totals)}))
    return [row for _, row in sorted(found, key=lambda one: (one[0][0] + one[0][1], one[0]), reverse=True)]


def _of_rows(totals: Totals) -> dict[str, Any]:
    return {name: getattr(totals, name) for name in OF_ROWS}


def shared_facts(runs: Sequence[SweepRun]) -> list[tuple[str, str]]:
    """SHARED by name; where runs differ, every value."""
    return [(name, "; ".join(dict.fromkeys(_text(getattr(run.result, name)) for run in runs))) for name in SHARED]


def _text(value: object) -> str:
    return versions_text(value) if isinstance(value, dict) else str(value)


def versions_text(versions: dict[str, str]) -> str:
    """Packages with their versions, on one line."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def hash_rows(sweep: Path, runs: Sequence[SweepRun]) -> list[list[str]]:
    """Of every run where it lies in the sweep, how many images it is of, and its HASHES."""
    return [
        [
            run.place.relative_to(sweep / "runs").as_posix(),
            str(run.result.images),
            *(getattr(run.result, name) or "" for name in HASHES),
        ]
        for run in runs
    ]


def run_to_show(runs: Sequence[SweepRun]) -> Path | None:
    """A run that is worth a page: of the first accelerator, the one with the largest promise."""
    mixed = [run for run in runs if run.result.trace is not None and run.result.trace.uniform is None]
    of_first = [run for run in mixed if run.result.accelerator == mixed[0].result.accelerator]
    return max(of_first, key=_promised).place if of_first else None


def _promised(run: SweepRun) -> float:
    return 0 if run.result.speedup is None else run.result.speedup.bops_blocks
