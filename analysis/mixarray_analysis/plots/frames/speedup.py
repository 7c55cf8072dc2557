"""Speedups over uniform precisions: what BOPs promise beside what each accelerator delivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

from mixarray.errors import InputError
from mixarray.result.read import read_run
from mixarray.result.run import RunResult
from mixarray.trace.baseline import mean_weight_bits
from mixarray.trace.bundle import read_bundle
from mixarray_analysis.plan import uniform_name
from mixarray_analysis.plots.frames.points import read_points, with_speedups
from mixarray_analysis.plots.settings import with_labels

COLUMNS = ["baseline", "series", "label", "speedup", "points"]
PROMISED, COUNTED = "BOPs", "BOPs, weight bits counted"
"""Series of the promise: over ratio 0 as published, linear in activation bits; over a uniform precision by its weight
bits as well. The two are other numbers, so they have other names."""
RATIO_ZERO = "ratio 0"
MEAN = "mean"
"""Label of the geometric mean over the settings that lower or prune something."""


@dataclass(frozen=True, slots=True)
class Over:
    """A uniform precision on one accelerator, over ratio 0: by how much it is faster, and has fewer bit operations."""

    simulated: float
    bops: float


def speedup_frame(source: Path, where: Sequence[str] = ()) -> pd.DataFrame:
    """One row per baseline, series (PROMISED or COUNTED, or an accelerator) and setting (COLUMNS).

    Baselines are the uniform precisions that were simulated beside, else ratio 0. Over several networks a speedup is
    their geometric mean; `points` counts what it is the mean of.
    """
    points = with_labels(with_speedups(read_points(source, where), source))
    found = _baselines(source, points["accelerator"].unique().tolist())
    rows = [_over(points, baseline, by_accelerator) for baseline, by_accelerator in found.items()]
    return pd.concat(rows, ignore_index=True)[COLUMNS]


def _over(points: pd.DataFrame, baseline: str, by_accelerator: Mapping[str, Over]) -> pd.DataFrame:
    simulated = points["simulated_speedup"] / points["accelerator"].map(
        {name: over.simulated for name, over in by_accelerator.items()}
    )
    bops = next(iter(by_accelerator.values())).bops
    promise = PROMISED if baseline == RATIO_ZERO else COUNTED
    promised = points.assign(series=promise, speedup=points["bops_speedup"] / bops)
    promised = promised.drop_duplicates(["network", "label"])
    every = pd.concat([promised, points.assign(speedup=simulated)], ignore_index=True)
    mixed = every[(every["ratio"] > 0) | (every.get("pruning", 0) > 0)]
    means = mixed.groupby("series", sort=False)["speedup"].agg([_geometric_mean, "size"]).reset_index()
    bars = every.groupby(["series", "label"], sort=False, observed=True)["speedup"].agg([_geometric_mean, "size"])
    bars = bars.reset_index().sort_values("label", kind="stable")
    found = pd.concat([bars.astype({"label": str}), means.assign(label=MEAN)], ignore_index=True)
    found = found.rename(columns={"_geometric_mean": "speedup", "size": "points"}).assign(baseline=baseline)
    order = {name: place for place, name in enumerate(dict.fromkeys(every["series"]))}
    return found.sort_values("series", key=lambda names: names.map(order), kind="stable")


def _geometric_mean(values: pd.Series[float]) -> float:
    return float(np.exp(np.log(values).mean()))


def _baselines(source: Path, accelerators: Sequence[str]) -> dict[str, dict[str, Over]]:
    """Uniform precisions that ran on every accelerator, the widest first; ratio 0 where there are none."""
    runs = {
        name: {file.parent.name: read_run(file.parent) for file in source.glob(f"runs/{name}/uniform_*/run.json")}
        for name in accelerators
    }
    common = set.intersection(*(set(found) for found in runs.values()))
    if not common:
        return {RATIO_ZERO: {name: Over(1.0, 1.0) for name in accelerators}}
    first = runs[accelerators[0]]
    own_bits = _weight_bits(source / "runs" / accelerators[0] / min(common), first[min(common)])
    every = sorted(common, key=lambda stem: tuple(-bits for bits in _uniform(first[stem])[::-1]))
    return {
        f"uniform {uniform_name(_uniform(first[stem]))}": {
            name: _compared(runs[name][stem], own_bits) for name in accelerators
        }
        for stem in every
    }


def _compared(run: RunResult, own_weight_bits: Fraction) -> Over:
    """Bit operations are per weight bit in `bops_blocks`, so those of other weights count by their bits."""
    if run.speedup is None:
        raise InputError(run.source, "was not compared with ratio 0", "speedup")
    return Over(run.speedup.simulated, run.speedup.bops_blocks * float(own_weight_bits / _uniform(run)[1]))


def _uniform(run: RunResult) -> tuple[int, int]:
    """(activation, weight) bits of a uniform run."""
    if run.trace is None or run.trace.uniform is None:
        raise InputError(run.source, "is no uniform run", "trace.uniform")
    return run.trace.uniform


def _weight_bits(directory: Path, run: RunResult) -> Fraction:
    """Weight bits of the model itself, their mean where layers differ, from the bundle of one of its runs."""
    if run.trace is None:
        raise InputError(run.source, "is no run of a bundle", "trace")
    return mean_weight_bits(read_bundle(directory / run.trace.path))
