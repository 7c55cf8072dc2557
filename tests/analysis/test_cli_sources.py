"""Commands on real sources: bundles, images and checkpoints, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixarray_analysis.cli import main

RECORD = ("record", "--model", "swin_t", "--input", "224x224", "--weights", "random", "--score", "random")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle"
    assert main((*RECORD, "--ratio", "0.4", "-o", str(path), "--quiet")) == 0
    return path


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_swin_t_with_random_windows_says_so(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("inspect", str(bundle), "--json")) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["model"], facts["model_source"], facts["score"]) == ("swin_t", "random", "random")
    assert "random window choice" in facts["score_note"]
    assert main(("inspect", str(bundle))) == 0
    assert "windows per block" in capsys.readouterr().out


def test_a_bundle_is_simulated_against_ratio_zero(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("simulate", str(bundle), "--json", "-o", str(tmp_path / "run"))) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["speedup"]["baseline_cycles"] > result["cycles"]
    written = json.loads((tmp_path / "run" / "run.json").read_text())
    assert written["totals"]["cycles"] == result["cycles"]
    assert written["trace_sha256"] == result["trace_sha256"]
    assert str(tmp_path) not in (tmp_path / "run" / "run.json").read_text()


def test_an_image_that_is_not_there_is_refused(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "images 0 to 0" in fails(capsys, "simulate", str(bundle), "--image", "1")


@pytest.mark.parametrize("name", ["manifest.json", "windows.parquet", "operators.parquet", "tensors.parquet"])
@pytest.mark.parametrize("damage", ["truncated", "tampered", "missing"])
def test_a_damaged_bundle_is_refused_by_file(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, damage: str
) -> None:
    file = bundle / name
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        middle = len(content) // 2
        changed = content[:middle] if damage == "truncated" else content[:middle] + b"\x00" + content[middle + 1 :]
        file.write_bytes(changed)
    assert name in fails(capsys, "simulate", str(bundle), "-o", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_the_picture_of_a_bundle_needs_its_image(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--picture" in fails(capsys, "plot", "windows", str(bundle), "-o", str(tmp_path / "windows"))
    (tmp_path / "broken.png").write_bytes(b"no image")
    broken = ("--picture", str(tmp_path / "broken.png"))
    assert "broken.png" in fails(capsys, "plot", "windows", str(bundle), *broken, "-o", str(tmp_path / "windows"))
    assert not list(tmp_path.glob("windows*"))


def test_a_broken_image_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8 truncated")
    arguments = ("record", "--ratio", "0.4", "--image", str(tmp_path / "photo.jpg"), "-o", str(tmp_path / "bundle"))
    assert "photo.jpg" in fails(capsys, *arguments)
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("content", ["garbage", "nan"])
def test_a_broken_checkpoint_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    file = tmp_path / "weights.safetensors"
    if content == "garbage":
        file.write_bytes(b"garbage")
    else:
        from safetensors.torch import save_file

        from mixarray_traces.model.detector import build_detector

        state = {name: value.contiguous() for name, value in build_detector(None).state_dict().items()}
        next(iter(state.values())).fill_(float("nan"))
        save_file(state, file)
    arguments = ("quantize", "--checkpoint", str(file), "-o", str(tmp_path / "model"))
    assert "weights.safetensors" in fails(capsys, *arguments)
    assert not (tmp_path / "model").exists()


def test_a_broken_model_directory_is_refused_by_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "manifest.json").write_text("{")
    arguments = ("evaluate", "--model", str(tmp_path / "model"), "--ratios", "0")
    assert "manifest.json" in fails(capsys, *arguments)
