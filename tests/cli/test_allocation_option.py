"""`--allocation`: bits of single layers from a file, for a named model and for quantizing; wrong ones in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixarray.trace.bundle import read_bundle
from mixarray_analysis.cli import main
from mixarray_traces.quantization.allocation import Allocation, write_allocation

QKV = "stages.0.blocks.0.attn.qkv"
NAMED = ("--model", "swin_t", "--input", "224x224", "--weights", "random", "--score", "random", "--ratio", "0.4")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_allocation(Allocation({QKV: 6}, {f"{QKV}.input": 6, "head.input": 8}), tmp_path / "bits.json")
    return tmp_path / "bits.json"


def record(tmp_path: Path, *words: str) -> int:
    return main(("record", *words, "--out", str(tmp_path / "bundle"), "--quiet"))


def test_a_named_model_takes_an_allocation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_allocation(Allocation({QKV: 6}, {f"{QKV}.input": 6}), tmp_path / "bits.json")
    assert record(tmp_path, *NAMED, "--allocation", str(tmp_path / "bits.json")) == 0
    bits = {(t.name, t.window_bits): t.bits for t in read_bundle(tmp_path / "bundle").topology.tensors}
    assert [bits[f"{QKV}.input", branch] for branch in (8, 4)] == [6, 4]
    assert bits[f"{QKV}.weight", 0] == 6
    capsys.readouterr()
    assert main(("inspect", str(tmp_path / "bundle"), "--json")) == 0
    layers = json.loads(capsys.readouterr().out)["layers"]
    assert layers == [{"tensor": f"{QKV}.input", "bits": [6, 4]}, {"tensor": f"{QKV}.weight", "bits": [6]}]
    assert main(("inspect", str(tmp_path / "bundle"))) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith(f"{QKV}.input")] == [
        [f"{QKV}.input", "6/4"]
    ]


def test_what_does_not_fit_is_refused_in_a_line(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record(tmp_path, *NAMED, "--allocation", str(file)) == 2
    assert "activations.head.input: the model has no such activation tensor" in capsys.readouterr().err
    assert record(tmp_path, "--ratio", "0.4", "--allocation", str(file)) == 2
    assert "--allocation: is for named models" in capsys.readouterr().err
    assert main(("quantize", "--allocation", str(tmp_path / "none.json"), "-o", str(tmp_path / "model"))) == 2
    assert "none.json: cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()
