"""The page of a sweep or a demo as text: its summary, where its numbers come from, its glossary."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mixarray.digits import significant
from mixarray.errors import InputError
from mixarray.result.read import read_run
from mixarray_analysis.report.data import report_data
from mixarray_analysis.report.page import render
from mixarray_analysis.report.points import sweep_data
from mixarray_analysis.report.sources import read_sources
from mixarray_analysis.summary import write_tidy
from mixarray_analysis.sweeps.api import sweep

from .conftest import DEMO_ACCELERATORS, SENTENCES, Places, summary_row


def table_of(summary: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, str]]:
    """The table of a sweep's summary: cells by heading, by machine and what is in its column of ratios."""
    rows = [
        (machine, dict(zip(summary["headings"], row, strict=True))) for machine, of in summary["groups"] for row in of
    ]
    return {(machine, row["ratio"]): row for machine, row in rows}


def test_a_demo_says_what_its_directory_holds(demo: Path) -> None:
    """Promised and simulated speedups, totals with their bands, uniform baselines, its sentences."""
    summary = sweep_data(demo)["summary"]
    table = table_of(summary)
    settings = ["0", "0.4", "0.8", "uniform W8A8", "uniform W4A4"]
    assert list(table) == [(machine, setting) for machine in DEMO_ACCELERATORS for setting in settings]
    stems = dict(zip(settings, ("ratio_0000", "ratio_0400", "ratio_0800", "uniform_w8a8", "uniform_w4a4"), strict=True))
    for (machine, setting), row in table.items():
        run = read_run(demo / "runs" / machine / stems[setting])
        totals, speedup = run.totals, run.speedup
        assert speedup is not None
        assert row["promised by BOPs"] == f"{speedup.bops_blocks:.3f}x"
        assert row["simulated"] == f"{speedup.simulated:.3f}x"
        assert row["cycles"] == f"{totals.cycles:,.0f}"
        band = [significant(one) for one in (totals.energy_uj, totals.energy_low_uj, totals.energy_high_uj)]
        assert row["energy (µJ) [low, high]"] == f"{band[0]} [{band[1]}, {band[2]}]"
        assert row["DRAM traffic (MiB)"] == f"{(totals.dram_read_bits + totals.dram_write_bits) / 2**23:,.2f}"
    assert table[DEMO_ACCELERATORS[0], "0.8"]["of the gain arrived"].endswith(" %")
    assert "AP50 [95 %]" not in summary["headings"], "nothing was evaluated"
    assert summary["sentences"] == SENTENCES
    assert [what for _, what, _ in summary["cards"]] == [
        *("points", "largest promise of BOPs", "largest simulated speedup", "least latency", "least energy"),
    ]


def test_the_provenance_of_a_demo_is_that_of_its_runs(demo: Path) -> None:
    found = sweep_data(demo)
    runs = [read_run(place.parent) for place in sorted(demo.glob("runs/*/*/run.json"))]
    facts = dict(found["provenance"]["facts"])
    assert facts["git_revision"] == runs[0].git_revision
    assert facts["seed"] == str(runs[0].seed)
    assert facts["energy_model"] == runs[0].energy_model
    assert f"numpy {runs[0].versions['numpy']}" in facts["versions"]
    (table,) = found["provenance"]["tables"]
    assert table["headings"] == ["run", "images", "trace_sha256", "accelerator_sha256", "execution_sha256"]
    assert [row[2:] for row in table["rows"]] == [
        [run.trace_sha256, run.accelerator_sha256, run.execution_sha256] for run in runs
    ]
    assert found["missing"].endswith(f"mixarray report {demo} {demo / 'runs' / DEMO_ACCELERATORS[0] / 'ratio_0800'}")


def test_a_run_that_was_made_elsewhere_shows_in_the_provenance_and_a_broken_one_is_refused(
    demo: Path, tmp_path: Path
) -> None:
    shutil.copytree(demo, tmp_path / "demo")
    file = tmp_path / "demo" / "runs" / DEMO_ACCELERATORS[0] / "ratio_0400" / "run.json"
    written = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(written | {"git_revision": "another"}), encoding="utf-8")
    facts = dict(sweep_data(tmp_path / "demo")["provenance"]["facts"])
    assert facts["git_revision"] == f"{written['git_revision']}; another"
    file.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as a run"):
        sweep_data(tmp_path / "demo")


def test_the_provenance_of_a_specification_is_its_sweep_json(places: Places, tmp_path: Path) -> None:
    written = json.loads((places.sweep / "sweep.json").read_text(encoding="utf-8"))
    found = sweep_data(places.sweep)
    facts = dict(found["provenance"]["facts"])
    for name in ("git_revision", "spec_sha256", "code_sha256", "points_sha256"):
        assert facts[name] == written[name]
    assert facts["counts"] == "6 asked, 6 done, 0 failed, 0 refused, 0 repeated"
    assert [table["title"] for table in found["provenance"]["tables"]] == ["Models"]
    assert table_of(found["summary"])["packed_w4_32x32 clock_mhz=400", "0.8"]["promised by BOPs"].endswith("x")
    shutil.copytree(places.sweep, tmp_path / "sweep")
    (tmp_path / "sweep" / "sweep.json").unlink()
    assert "not finished" in dict(sweep_data(tmp_path / "sweep")["provenance"]["facts"])["state"]


def test_points_that_failed_and_that_were_refused_are_in_the_provenance_with_the_reason(
    places: Places, tmp_path: Path
) -> None:
    grid = {"arrays.0.modes": [[[8, 8], [8, 4], [4, 4]], [[8, 4]]], "arrays.0.rows": [16, 32]}
    spec = {
        "schema_version": "1.0",
        "models": [{"bundle": str(places.bundle)}],
        "accelerators": ["packed_w4_32x32"],
        "grid": grid,
        "constraints": {"relations": ["arrays.0.rows == arrays.0.columns"]},
    }
    sweep(spec, tmp_path / "sweep")
    found = sweep_data(tmp_path / "sweep")
    tables = {table["title"]: table["rows"] for table in found["provenance"]["tables"]}
    ((failed, why, _),) = tables["Points that failed"]
    assert (failed, why[:35]) == ("1", "array: arrays.0.modes: no mode serv")
    assert tables["Points that are refused"][0][:2] == ["2", "arrays.0.rows == arrays.0.columns does not hold"]
    assert "Left out: 1 failed, 2 refused" in found["summary"]["note"]
    assert found["summary"]["sentences"] == [], "of one machine the headline says it"


def test_of_many_points_those_are_shown_that_are_best_in_something(tmp_path: Path) -> None:
    """Of equal ones the first; without runs there are no bands, and machines have a sentence each."""
    rows = [("a", summary_row(place / 100, 100 - place, 100.0 + place)) for place in range(50)]
    write_tidy([*rows, ("b", summary_row(0.1, 200, 300.0))], tmp_path)
    for source in (tmp_path, tmp_path / "summary.csv"):
        summary = sweep_data(source)["summary"]
        (machine, shown), *others = summary["groups"]
        assert (machine, others) == ("a", [])
        best = {row[1]: row[0] for row in shown}
        assert best == {
            "0.49": "latency, promised speedup, simulated speedup",
            "0": "energy, AP50, utilisation, share of peak MACs",
        }
        assert "energy (µJ) [low, high]" in summary["headings"]
        assert summary["note"].startswith("The points that are best in something, of 51")
        assert summary["sentences"] == [
            "a, ratio 0.49: BOPs promise 1.490x, 1.098x simulated: 20.0 % of the promised gain arrived.",
            "b, ratio 0.1: BOPs promise 1.100x, 1.020x simulated: 20.0 % of the promised gain arrived.",
        ]


def test_the_glossary_has_the_columns_that_are_on_the_page_and_no_others(places: Places, demo: Path) -> None:
    for source in (demo, places.sweep):
        data = report_data(read_sources([source]))
        assert set(data["glossary"]["points"]) == set(data["sweeps"][0]["columns"])
    both = report_data(read_sources([demo, places.sweep]))
    assert {"accuracy", "dataflow"} <= set(both["glossary"]["points"])
    assert "dataflow" not in report_data(read_sources([demo]))["glossary"]["points"]


def test_a_page_of_a_demo_says_its_sentences_without_scripts(demo: Path) -> None:
    text = re.sub(r"<script.*?</script>", "", render(report_data(read_sources([demo]))), flags=re.DOTALL)
    assert "<p>packed &amp; sound: 21.4 % of the promised gain arrived.</p>" in text
    assert "the largest speedup: BOPs promise" in text
