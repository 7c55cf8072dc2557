"""One sentence about a run or a sweep, from its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mixarray.digits import percent, significant
from mixarray.result.run import RunResult, Speedup
from mixarray_analysis.speedup import arrived_share

if TYPE_CHECKING:
    import pandas as pd


def headline(result: RunResult) -> str:
    """What arrived of what was promised, where there is a baseline, and what the run takes per image."""
    totals = result.totals
    taken = (
        f"{totals.cycles:,.0f} cycles ({significant(totals.latency_ms, 4)} ms) and "
        f"{significant(totals.energy_uj)} µJ, utilisation {percent(totals.utilization)}"
    )
    if result.speedup is None:
        return f"{result.source} on {result.accelerator}: {taken}."
    return f"{result.source} on {result.accelerator}: {_arrival(result.speedup)}; {taken}."


def _arrival(speedup: Speedup) -> str:
    head = f"BOPs promise {speedup.bops_blocks:.3f}x, {speedup.simulated:.3f}x simulated"
    share = arrived_share(speedup.bops_blocks, speedup.simulated)
    if share is None:
        return head
    what = "of the promised gain arrived" if share >= 0 else "of the promised gain, a slowdown"
    return f"{head}: {100 * share:.1f} % {what}"


def sweep_headline(points: pd.DataFrame, path: Path) -> str:
    """How many points a sweep has, and those with the least latency and energy (of equal ones the first)."""
    ends = (("fastest", "latency_ms", "ms"), ("most frugal", "energy_uj", "µJ"))
    said = [f"{len(points):,} points in {path}"]
    for what, column, unit in ends:
        best = points.iloc[int(points[column].to_numpy().argmin())]
        where = f"{best['series']}, ratio {best['setting']}"
        said.append(f"the {what} takes {significant(best[column], 4)} {unit} ({where})")
    return "; ".join(said) + "."
