"""`mixarray run` and `mixarray train` from the data on: they need the full item set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixarray_analysis.cli import main


@pytest.mark.full
@pytest.mark.needs("fashion-mnist")
def test_run_quantizes_records_simulates_and_plots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    arguments = ["run", "--ratio", "0.4", "--n", "0", "--size", "112", "-a", "packed_w4_32x32", "-o", str(out)]
    assert main([*arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["ratio"], row["accuracy"]) for row in rows] == [(0.0, None), (0.4, None)]
    assert rows[1]["bops_speedup"] > 1
    assert json.loads((out / "bundles/ratio_0400/manifest.json").read_text())["model_source"] == "trained"
    assert (out / "plots" / "speedup.pdf").exists()


@pytest.mark.full
@pytest.mark.needs("fashion-mnist")
def test_train_starts_stops_and_goes_on_only_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "training"
    arguments = ["train", "--images-112", "64", "--images-224", "0", "-o", str(out), "--quiet"]
    assert main(arguments) == 0
    assert (out / "detector.safetensors").exists()
    assert main(arguments) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*arguments, "--resume"]) == 0
