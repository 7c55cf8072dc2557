"""Where the numbers of a sweep come from: code, packages, seeds and hashes, from its runs or its `sweep.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mixarray_analysis.plots.sources import SourceKind, kind_of
from mixarray_analysis.report.sweep_runs import HASHES, SweepRun, hash_rows, shared_facts, versions_text
from mixarray_analysis.sweeps.directory import read_findings

SHA256 = ("spec_sha256", "code_sha256", "points_sha256")
UNFINISHED = "this sweep is not finished: sweep.json, which says it, is written last"


def findings_of(path: Path) -> Mapping[str, Any] | None:
    """`sweep.json` of a sweep of a specification, empty while it is not finished; None of another sweep."""
    return (read_findings(path) or {}) if kind_of(path) is SourceKind.SWEEP else None


def provenance_data(path: Path, runs: Sequence[SweepRun], findings: Mapping[str, Any] | None) -> dict[str, Any]:
    """Facts as (name, text), and tables; none where the sweep has neither runs nor `findings_of`."""
    if findings is not None:
        return _of_specification(findings)
    if not runs:
        return {"facts": [], "tables": []}
    table = {"title": "Hashes of every run", "headings": ["run", "images", *HASHES], "texts": 2 + len(HASHES)}
    return {"facts": shared_facts(runs), "tables": [{**table, "rows": hash_rows(path, runs)}]}


def _of_specification(findings: Mapping[str, Any]) -> dict[str, Any]:
    if not findings:
        return {"facts": [("state", UNFINISHED)], "tables": []}
    seeds = [] if (sample := findings["spec"]["sample"]) is None else [("seed", f"{sample['seed']}, of the sample")]
    facts = [
        ("git_revision", findings["git_revision"]),
        ("versions", versions_text(findings["versions"])),
        *seeds,
        *((name, findings[name]) for name in SHA256),
        ("counts", ", ".join(f"{count:,} {name}" for name, count in findings["counts"].items())),
        ("schema_version", findings["schema_version"]),
    ]
    models = [
        [one["label"], f"{one['input_height_px']}x{one['input_width_px']}", one["sha256"]] for one in findings["models"]
    ]
    tables = [{"title": "Models", "headings": ["model", "input", "sha256"], "texts": 3, "rows": models}]
    for name, title in (("failed", "Points that failed"), ("refused", "Points that are refused")):
        reasons = [[f"{one['points']:,}", one["reason"], one["point"]] for one in findings.get(name, [])]
        if reasons:
            tables.append({"title": title, "headings": ["points", "why", "first"], "texts": 3, "rows": reasons})
    return {"facts": facts, "tables": tables}
