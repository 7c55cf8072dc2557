"""What a path is, and what a kind of plot says when it is given something else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path

from mixarray.errors import InputError


class SourceKind(StrEnum):
    """What plots are made of; the value is how people call it."""

    RUN = "run"
    BUNDLE = "bundle"
    SUMMARY = "sweep of ratios or demo"
    SWEEP = "sweep of a specification"
    SEARCH = "search"
    EXPLANATION = "explanation"
    GEMM = "GEMM"


FILES = {
    SourceKind.RUN: "run.json",
    SourceKind.BUNDLE: "windows.parquet",
    SourceKind.SWEEP: "spec.json",
    SourceKind.SEARCH: "front.csv",
    SourceKind.EXPLANATION: "explain.json",
    SourceKind.SUMMARY: "summary.csv",
}
"""The file that only this kind of directory holds."""
MADE_BY = {
    SourceKind.RUN: "mixarray simulate BUNDLE -o RUN",
    SourceKind.BUNDLE: "mixarray record --ratio 0.4 -o BUNDLE",
    SourceKind.SUMMARY: "mixarray sweep --ratios 0:0.8:0.2 -o SWEEP",
    SourceKind.SWEEP: "mixarray sweep SPEC.yaml -o SWEEP",
    SourceKind.SEARCH: "mixarray search run -o SEARCH",
    SourceKind.EXPLANATION: "mixarray explain RUN -o EXPLANATION",
    SourceKind.GEMM: "--gemm M,N,K --bits A,W",
}
"""The command that makes it; for a GEMM the options that name it."""


def kind_of(path: Path) -> SourceKind:
    """What a path is; InputError where it is nothing that a plot is made of."""
    if path.is_file() and path.suffix == ".csv":
        return SourceKind.SUMMARY
    if not path.is_dir():
        raise InputError(str(path), "is no directory" if path.exists() else "no such file or directory")
    for kind, name in FILES.items():
        if (path / name).is_file():
            return kind
    names = ", ".join(FILES.values())
    raise InputError(str(path), f"is nothing that plots are made of: it holds none of {names}")


def one_kind(paths: Sequence[Path], allowed: Collection[SourceKind], what: str) -> SourceKind:
    """What all the paths are; InputError unless they are one of `allowed`, which names the commands that make those.

    Several paths must be runs.
    """
    made = " or ".join(f"{_a(kind)} ({MADE_BY[kind]})" for kind in allowed)
    if not paths:
        raise InputError("plot", f"{what} needs {made}")
    kinds = [kind_of(path) for path in paths]
    for path, kind in zip(paths, kinds, strict=True):
        if kind not in allowed:
            raise InputError(str(path), f"is {_a(kind)}; {what} needs {made}")
        if len(paths) > 1 and kind is not SourceKind.RUN:
            raise InputError(str(path), f"is {_a(kind)}; of several sources each must be a run")
    return kinds[0]


def _a(kind: SourceKind) -> str:
    return f"{'an' if kind is SourceKind.EXPLANATION else 'a'} {kind.value}"
