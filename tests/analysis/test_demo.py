"""The demo's workflow on a small untrained model: files, columns, sentences, commands, equal bytes."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from rich.console import Console, Group

from mixarray.errors import InputError
from mixarray_analysis.cli import main
from mixarray_analysis.demo import draw_all, run_demo, score_lines
from mixarray_analysis.experiment import Findings
from mixarray_analysis.models import prepare_torch
from mixarray_analysis.plain_table import PlainTable
from mixarray_analysis.plan import Layout, Plan
from mixarray_analysis.plots.draw import draw
from mixarray_analysis.plots.names import Kind
from mixarray_analysis.plots.request import Request
from mixarray_analysis.runs import RunAnswer
from mixarray_analysis.summary import COLUMNS
from mixarray_analysis.tables import accuracy_csv, accuracy_json, accuracy_table, summary_table, uniform_table
from mixarray_traces.data import Split
from mixarray_traces.model.detector import build_detector
from mixarray_traces.quantization import QuantizationOptions, quantize, save_quantized


@dataclass(frozen=True)
class Demo:
    plan: Plan
    root: Path
    findings: Findings
    sentences: list[str]
    commands: list[str]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained detector, quantized; calibrated on the shipped items so that nothing else must be installed."""
    prepare_torch()
    torch.manual_seed(0)
    options = QuantizationOptions(calibration_split=Split.TEST, calibration_canvases=1, calibration_size=112)
    return save_quantized(quantize(build_detector(None), options), tmp_path_factory.mktemp("model") / "quantized")


def run(model: Path, root: Path) -> Demo:
    plan = Plan(
        ratios=(0, 400),
        accelerators=("packed_w4_32x32", "plain_int8_32x32"),
        model=model,
        canvases=2,
        recorded=1,
        size=112,
        tensors="sampled",
        uniform=((4, 4),),
        jobs=1,
        quiet=True,
    )
    commands: list[str] = []
    findings, sentences = run_demo(plan, root, root, commands.append)
    return Demo(plan, root, findings, sentences, commands)


@pytest.fixture(scope="module")
def demo(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return run(model, tmp_path_factory.mktemp("demo"))


def test_summaries_have_the_promised_columns_and_rows(demo: Demo) -> None:
    for name in ("summary.csv", "summary_packed_w4_32x32.csv", "summary_plain_int8_32x32.csv"):
        with (demo.root / name).open() as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == list(COLUMNS)
        assert [row["ratio"] for row in rows] == ["0.0", "0.4"]
        assert rows[0]["bops_speedup"] == rows[0]["simulated_speedup"] == "1.0"
        assert float(rows[1]["bops_speedup"]) > 1
        assert rows[1]["n"] == "2"
    assert (demo.root / "summary.csv").read_bytes() == (demo.root / "summary_packed_w4_32x32.csv").read_bytes()


def test_everything_lies_where_it_is_said(demo: Demo) -> None:
    layout = Layout(demo.root)
    for ratio in demo.plan.ratios:
        assert (layout.bundle(ratio) / "manifest.json").exists()
        for name in demo.plan.accelerators:
            assert (layout.run(name, ratio) / "run.json").exists()
    for what in ("speedup", "energy", "accuracy", "windows"):
        assert {file.suffix for file in demo.root.glob(f"plots/{what}.*")} == {".png", ".pdf", ".csv"}


def test_one_sentence_per_accelerator_from_the_largest_ratio(demo: Demo) -> None:
    assert [sentence.split(":")[0] for sentence in demo.sentences] == [
        "packed_w4_32x32 at 40 % low windows",
        "plain_int8_32x32 at 40 % low windows",
    ]
    assert re.search(r"none of \d+ GEMMs took fewer array cycles", demo.sentences[1])


def lengths(group: Group) -> list[int]:
    """Rows of each table of a group."""
    return [len(part.rows) for part in group.renderables if isinstance(part, PlainTable)]


def test_tables_show_every_run(demo: Demo) -> None:
    assert lengths(summary_table(demo.findings)) == [2, 2, 2]
    assert lengths(uniform_table(demo.findings)) == [1, 1]
    rows = list(demo.findings.accuracy.values())
    assert len(accuracy_table(rows).rows) == 2
    assert accuracy_csv(rows).splitlines()[1].startswith("0.0,0.0,")
    assert "NaN" not in accuracy_json(rows)


def test_tables_fit_a_terminal_of_80_columns(demo: Demo) -> None:
    """At the size of real runs: no cell is cut or folded, and every number of every row is there."""
    runs = {key: _as_long_as_real(run) for key, run in demo.findings.runs.items()}
    uniform = {key: _as_long_as_real(run) for key, run in demo.findings.uniform.items()}
    findings = replace(demo.findings, runs=runs, uniform=uniform)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(summary_table(findings))
    console.print(uniform_table(findings))
    text = console.export_text()
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
    assert text.count("1,234,567,890") == len(runs) + len(uniform)
    for heading in ("actual %", "AP50 [95 %]", "BOPs", "simulated", "cycles", "ms", "µJ", "util", "packed_w4_32x32"):
        assert heading in text


def _as_long_as_real(run: RunAnswer) -> RunAnswer:
    totals = run.result.totals.model_copy(update={"cycles": 1234567890, "latency_ms": 1234.567, "energy_uj": 123456.7})
    return replace(run, result=run.result.model_copy(update={"totals": totals}))


def test_scores_are_named_with_their_auc(demo: Demo) -> None:
    lines = score_lines(demo.plan)
    assert "(default)" in lines[0]
    assert "importance score sparsevit (the paper's)" in lines[1]
    assert all("stage 0 regular" in line for line in lines)


def without_place(file: Path) -> object:
    """The bytes of a result; of run.json all but the path to its trace, which is relative to where the run lies."""
    if file.name != "run.json":
        return file.read_bytes()
    run = json.loads(file.read_text())
    assert run["trace"].pop("path")
    return run


def test_a_printed_command_does_the_same_when_typed(demo: Demo, tmp_path: Path) -> None:
    done = set()
    for command in demo.commands:
        words = shlex.split(command)[1:]
        if words[0] in done:
            continue
        if "-o" in words:
            out = Path(words[-1])
            place = tmp_path / words[0]
            words[-1] = str(place / out.name)
            assert main([*words, "--quiet"]) == 0
            files = sorted(file for file in out.parent.glob(f"{out.name}*/**/*") if file.is_file())
            files += sorted(file for file in out.parent.glob(f"{out.name}.*") if file.is_file())
            assert files
            for file in files:
                again = place / file.relative_to(out.parent)
                assert without_place(again) == without_place(file), command
        done.add(words[0])
    assert done == {"evaluate", "record", "simulate", "plot"}


def test_the_same_demo_gives_the_same_bytes(demo: Demo, model: Path, tmp_path: Path) -> None:
    again = run(model, tmp_path)
    files = sorted(file.relative_to(demo.root) for file in demo.root.rglob("*") if file.is_file())
    assert files == sorted(file.relative_to(again.root) for file in again.root.rglob("*") if file.is_file())
    different = [file for file in files if (demo.root / file).read_bytes() != (again.root / file).read_bytes()]
    assert different == []


def test_without_an_accuracy_there_is_no_accuracy_picture(demo: Demo, tmp_path: Path) -> None:
    plan = Plan(demo.plan.ratios, demo.plan.accelerators, canvases=0)
    for made in (demo.root / "runs", demo.root / "bundles", *demo.root.glob("summary*.csv")):
        (tmp_path / made.name).symlink_to(made)
    draw_all(plan, Layout(tmp_path), Layout(tmp_path), lambda command: None)
    assert not list(tmp_path.glob("plots/accuracy.*"))
    assert list(tmp_path.glob("plots/speedup.*"))


def test_runs_that_no_summary_has_are_refused(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "runs").symlink_to(demo.root / "runs")
    for name in ("summary.csv", "summary_packed_w4_32x32.csv"):
        (tmp_path / name).symlink_to(demo.root / name)
    with pytest.raises(InputError, match=r"runs of plain_int8_32x32, of which its summary has no row"):
        draw(Kind.ENERGY, Request((tmp_path,)), tmp_path / "energy")


@pytest.mark.parametrize("ratios", ["0,0.4", "0.4"])
def test_only_what_is_compared_with_ratio_0_explains_the_mark(
    model: Path, capsys: pytest.CaptureFixture[str], ratios: str
) -> None:
    assert main(["evaluate", "--model", str(model), "--ratios", ratios, "--n", "2", "--size", "112"]) == 0
    assert ("paired difference" in capsys.readouterr().out) == ratios.startswith("0,")


def test_a_sweep_from_the_command_line(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sweep"
    arguments = ["sweep", "--ratios", "0,1", "-a", "plain_int8_32x32", "--model", str(model), "--n", "0"]
    arguments += ["--recorded", "1", "--size", "112", "--jobs", "1", "-o", str(out)]
    assert main(arguments) == 0
    assert "n/a" in capsys.readouterr().out
    with (out / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["accelerator"], row["ratio_actual"], row["accuracy"]) for row in rows] == [
        ("plain_int8_32x32", "0.0", ""),
        ("plain_int8_32x32", "1.0", ""),
    ]
    assert (out / "summary.parquet").exists()
    assert main(arguments) == 2
