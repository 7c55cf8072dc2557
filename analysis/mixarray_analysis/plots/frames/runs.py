"""Runs beside each other, as the stacked plots show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mixarray.errors import InputError
from mixarray.result.read import read_run
from mixarray.result.run import RunResult
from mixarray_analysis.plots.settings import labels_of, with_labels
from mixarray_analysis.plots.sources import MADE_BY, SourceKind, kind_of
from mixarray_analysis.summary import read_summary
from mixarray_traces.quantization.ratios import RatioChoice


@dataclass(frozen=True, slots=True)
class LabelledRun:
    """A run, the name of its bar, and where it lies."""

    label: str
    result: RunResult
    path: Path


def read_runs(sources: Sequence[Path]) -> list[LabelledRun]:
    """Runs by the names of their directories, or those of a sweep or demo by accelerator and ratio.

    Raises InputError where a source holds no run.
    """
    if kind_of(sources[0]) is SourceKind.SUMMARY:
        return _of_sweep(sources[0])
    return [LabelledRun(name, read_run(path), path) for name, path in zip(_names(sources), sources, strict=True)]


def _names(sources: Sequence[Path]) -> list[str]:
    """Names of directories, with those above them where that is needed to tell them apart."""
    whole = [source.resolve().parts for source in sources]
    for depth in range(1, max(map(len, whole)) + 1):
        names = ["/".join(parts[-depth:]) for parts in whole]
        if len(set(names)) == len(names):
            return names
    raise InputError(str(sources[0]), "a run is given twice")


def _of_sweep(source: Path) -> list[LabelledRun]:
    """Ordered as the summary is, so that the accelerators stand as they were asked for."""
    files = sorted(source.glob("runs/*/ratio_*/run.json")) if source.is_dir() else []
    if not files:
        message = f"holds no runs (runs/<accelerator>/ratio_*/run.json); {MADE_BY[SourceKind.SUMMARY]} makes them"
        raise InputError(str(source), message)
    choices = [RatioChoice.of_stem(file.parent.name) for file in files]
    shares = [(one.nominal / 1000, one.nominal_pruning / 1000, one.label) for one in choices]
    frame = with_labels(pd.DataFrame(shares, columns=["ratio", "pruning", "setting"]))
    labels = labels_of(frame)
    found = [
        LabelledRun(label, read_run(file.parent), file.parent)
        for label, file in zip(frame["label"].tolist(), files, strict=True)
    ]
    order = list(dict.fromkeys(read_summary(source)["accelerator"]))
    unknown = sorted({one.result.accelerator for one in found} - set(order))
    if unknown:
        raise InputError(str(source), f"holds runs of {', '.join(unknown)}, of which its summary has no row")
    return sorted(found, key=lambda one: (order.index(one.result.accelerator), labels.index(one.label)))
