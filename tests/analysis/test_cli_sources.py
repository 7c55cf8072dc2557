"""Commands on real sources: bundles, images and checkpoints, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mixarray.trace.bundle import read_bundle
from mixarray_analysis.cli import main
from mixarray_analysis.plots.frames.windows import windows_frame
from mixarray_analysis.plots.windows import plot_windows

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
        changed = (
            content[:middle]
            if damage == "truncated"
            else content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        )
        file.write_bytes(changed)
    assert name in fails(capsys, "simulate", str(bundle), "-o", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_at_ratio_1_every_window_is_low(tmp_path: Path) -> None:
    """On an input whose maps round up; the windows tile it whole at every stage."""
    path, picture = tmp_path / "bundle", np.zeros((200, 230, 3), np.uint8)
    random = ("record", "--model", "swin_t", "--input", "200x230", "--weights", "random", "--score", "random")
    assert main((*random, "--ratio", "1", "-o", str(path), "--quiet")) == 0
    shown = windows_frame(read_bundle(path), 0)
    assert shown["low"].all()
    assert list((shown["width_px"] * shown["height_px"]).groupby(shown["stage"]).sum()) == [200 * 230] * 4
    assert list(shown[shown["window"] == 0]["width_px"]) == [28, 56, 112, 224]
    _, panels = plot_windows(shown, picture)
    assert panels[0].get_title() == "stage 0: 72 of 72 windows low"


def test_a_plot_into_a_file_is_refused(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.zeros((224, 224, 3), np.uint8)).save(tmp_path / "photo.png")
    picture = ("--picture", str(tmp_path / "photo.png"))
    out = bundle / "manifest.json" / "windows"
    assert "cannot be written" in fails(capsys, "plot", "windows", str(bundle), *picture, "-o", str(out))


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


@pytest.mark.parametrize("content", ["garbage", "nan", "prefixed"])
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
        if content == "nan":
            next(iter(state.values())).fill_(float("nan"))
        else:
            state = {f"backbone.{name}": value for name, value in state.items()}
        save_file(state, file)
    arguments = ("quantize", "--checkpoint", str(file), "-o", str(tmp_path / "model"))
    message = fails(capsys, *arguments)
    assert message.count("weights.safetensors") == 1
    assert content != "prefixed" or "does not fit the model: missing" in message
    assert not (tmp_path / "model").exists()


def test_a_broken_model_directory_is_refused_by_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "manifest.json").write_text("{")
    arguments = ("evaluate", "--model", str(tmp_path / "model"), "--ratios", "0")
    assert "manifest.json" in fails(capsys, *arguments)


def test_a_mistake_of_ours_is_not_told_as_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object, **named: object) -> None:
        raise ValueError("a shape that cannot be")

    monkeypatch.setattr("mixarray_traces.evaluation.evaluate", broken)
    with pytest.raises(ValueError, match="a shape that cannot be"):
        main(("evaluate", "--ratios", "0", "--n", "2", "--size", "112", "--quiet"))
