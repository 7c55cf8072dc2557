"""Where the numbers of a sweep come from: code, packages, seeds and hashes, from its runs or its `sweep.json`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mixarray_analysis.plots.sources import SourceKind, kind_of
from mixarray_analysis.report.sweep_runs import HASHES, SweepRun, hash_rows, shared_facts, versions_text
from mixarray_analysis.sweeps.directory import read_findings

SHA256 = ("spec_sha256", "code_sha256", "points_sha256")
UNFINISHED = "this sweep is not finished: sweep.json, which says it, is written last"


def provenance_data(path: Path, runs: Sequence[SweepRun]) -> dict[str, Any]:
    """Facts as (name, text), and tables; no facts where the sweep has neither runs nor a specification."""
    if kind_of(path) is SourceKind.SWEEP:
        return _of_specification(path)
    if not runs:
        return {"facts": [], "tables": []}
    table = {"title": "Hashes of every run", "headings": ["run", "images", *HASHES], "texts": 2 + len(HASHES)}
    return {"facts": shared_facts(runs), "tables": [{**table, "rows": hash_rows(path, runs)}]}


def _of_specification(path: Path) -> dict[str, Any]:
    findings = read_findings(path)
    if findings is None:
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
    for what in ("failed", "refused"):
        reasons = [[f"{one['points']:,}", one["reason"], one["point"]] for one in findings.get(what, [])]
        headings = ["points", "why", "first"]
        tables.append(
            {
                "title": f"Points that {'' if what == 'failed' else 'are '}{what}",
                "headings": headings,
                "texts": 0,
                "rows": reasons,
            }
        )
    return {"facts": facts, "tables": [table for table in tables if table["rows"]]}
