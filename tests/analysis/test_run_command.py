"""`mixarray run` on the shipped model, and `mixarray train` from the data on, which needs the full item set."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from mixarray_analysis.cli import main
from mixarray_traces.quantization import load_quantized
from mixarray_traces.quantization.ship import load_shipped_quantized
from mixarray_traces.training.checkpoint import read_record


def missing(*given: object) -> None:
    """Stands in for the reader of the full item set where that is not installed."""
    raise FileNotFoundError("apt-get install dataset-fashion-mnist")


def test_run_needs_no_data_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mixarray_traces.data.items.read_full_set", missing)
    out = tmp_path / "run"
    arguments = ["run", "--ratio", "0.4", "--n", "0", "--size", "112", "-a", "packed_w4_32x32", "--jobs", "1"]
    assert main([*arguments, "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "$ mixarray" not in said, "off a terminal only the result"
    assert "mixarray quantize" not in said
    assert "--model" not in said
    ran, shipped = load_quantized(out / "model"), load_shipped_quantized()
    assert ran.calibration.activations == shipped.calibration.activations
    rows = pd.read_csv(out / "summary.csv")
    assert list(rows["ratio"]) == [0.0, 0.4]
    assert rows["bops_speedup"][1] > 1
    assert json.loads((out / "bundles/ratio_0400/manifest.json").read_text())["model_source"] == "trained"
    assert (out / "plots" / "speedup.pdf").exists()


@pytest.mark.parametrize("command", [("quantize",), ("train", "--images-112", "64")])
def test_what_needs_the_data_set_says_so_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr("mixarray_traces.data.items.read_full_set", missing)
    assert main([*command, "-o", str(tmp_path / "out"), "--quiet"]) == 2
    assert "canvases: apt-get install dataset-fashion-mnist" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full
@pytest.mark.needs("fashion-mnist")
def test_train_starts_stops_and_goes_on_only_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "training"
    arguments = ["train", "--images-112", "64", "--images-224", "0", "-o", str(out), "--quiet"]
    assert main(arguments) == 0
    assert (out / "detector.safetensors").exists()
    assert main(arguments) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*arguments, "--resume", "--learning-rate", "0.1"]) == 2
    assert "learning_rate" in capsys.readouterr().err
    assert main([*arguments, "--resume"]) == 0
    command = read_record(out / "detector.safetensors").command
    assert command.startswith("mixarray train -o RUN --seed 0 --images-112 64 --images-224 0")
