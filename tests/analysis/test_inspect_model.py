"""`mixarray inspect` of a quantized model: bits, calibration, and the runs behind it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mixarray_analysis.cli import main
from mixarray_traces.quantization.provenance import Stage, TrainingRun
from mixarray_traces.quantization.ship import load_shipped_quantized
from mixarray_traces.quantization.store import save_quantized

RUNS = (
    TrainingRun(Stage.UNIFORM, 3, 100_032, 100_032, 64, 112, 5e-4),
    TrainingRun(Stage.SAQA, 3, 640, 100_032, 64, 112, 5e-4),
)


@pytest.fixture(scope="module", params=[(), RUNS], ids=["calibrated", "trained"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = replace(load_shipped_quantized(), training=request.param)
    return save_quantized(model, tmp_path_factory.mktemp("models") / "model")


def test_a_model_is_described(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("inspect", str(saved), "--json")) == 0
    facts = json.loads(capsys.readouterr().out)
    described = json.loads((saved / "manifest.json").read_text())
    for name in ("method", "weight_bits", "high_bits", "low_bits", "other_bits"):
        assert facts[name] == described["options"][name]
    assert (facts["model"], facts["source"], facts["low_branch"]) == ("detector", "trained", "calibrated")
    assert facts["training"] == described["training"]
    assert main(("inspect", str(saved))) == 0
    told = [line.removeprefix("training").strip() for line in _lines(capsys) if line.startswith("training")]
    assert told == ([str(run) for run in RUNS] if described["training"] else ["none noted"])


def test_a_broken_model_is_refused_in_a_line(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in saved.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    (broken / "manifest.json").write_text("{}")
    assert main(("inspect", str(broken))) == 2
    assert _lines(capsys, error=True)[0].startswith("error: ")


def _lines(capsys: pytest.CaptureFixture[str], error: bool = False) -> list[str]:
    read = capsys.readouterr()
    return (read.err if error else read.out).splitlines()
