"""One sentence about a run or a sweep, from its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mixarray.digits import percent, significant
from mixarray.result.run import RunResult
from mixarray_analysis.report.fronts import Better, costs_of
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
    arrived = arrival(result.speedup.bops_blocks, result.speedup.simulated)
    return f"{result.source} on {result.accelerator}: {arrived}; {taken}."


def arrival(promised: float, simulated: float) -> str:
    """What arrived of a promised speedup."""
    head = f"BOPs promise {promised:.3f}x, {simulated:.3f}x simulated"
    share = arrived_share(promised, simulated)
    if share is None:
        return head
    what = "of the promised gain arrived" if share >= 0 else "of the promised gain, a slowdown"
    return f"{head}: {100 * share:.1f} % {what}"


def sweep_headline(points: pd.DataFrame, path: Path) -> str:
    """How many points a sweep has, the largest speedup, and the points with the least latency and energy."""
    said = [f"{len(points):,} points in {path}"]
    known = points[points["simulated_speedup"].notna() & points["bops_speedup"].notna()]
    if len(known):
        best = known.iloc[best_row(known, "simulated_speedup", Better.HIGH)]
        gained = arrival(best["bops_speedup"], best["simulated_speedup"])
        said.append(f"the largest speedup: {gained} ({where_text(dict(best))})")
    for what, column, unit in (("fastest", "latency_ms", "ms"), ("most frugal", "energy_uj", "µJ")):
        best = points.iloc[best_row(points, column, Better.LOW)]
        said.append(f"the {what} takes {significant(best[column], 4)} {unit} ({where_text(dict(best))})")
    return "; ".join(said) + "."


def best_row(points: pd.DataFrame, column: str, better: Better) -> int:
    """The place of the point that is best in a column that some have; of equal ones the first."""
    costs = costs_of(points[column].to_numpy(np.float64), better)
    return int(np.nanargmin(costs))


def where_text(row: Mapping[str, Any]) -> str:
    """A point, for who knows the sweep."""
    return f"{machine_text(row)}, ratio {row['setting']}"


def machine_text(row: Mapping[str, Any]) -> str:
    """What a point is on, and the network where there are several."""
    return f"{row['network']} on {row['series']}" if row.get("network") else str(row["series"])
