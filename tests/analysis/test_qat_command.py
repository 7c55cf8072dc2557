"""`mixarray qat`: what it refuses before any work, what it says, and a run that stops and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixarray_analysis.cli import main
from mixarray_analysis.qat_run import progress_line
from mixarray_traces.quantization.options import LowBranch
from mixarray_traces.quantization.store import load_quantized
from mixarray_traces.training.qat import Progress


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("control",), "--model: is missing: control goes on"),
        (("annealing",), "--model: is missing: annealing goes on"),
        (("saa",), "--model: is missing: saa goes on"),
        (("uniform", "--model", "x"), "uniform begins with float weights"),
        (("saqa", "--model", "x", "--query-key"), "chosen where training begins"),
        (("saqa", "--query-key", "--vectors", "both"), "allowed with reparameterised scores: none, before"),
        (("saqa", "--model", "nowhere"), "nowhere"),
        (("uniform", "--resume"), "no such checkpoint"),
        (("uniform", "--boundary", "0.1"), "--boundary: does nothing in uniform"),
        (("annealing", "--model", "x", "--boundary", "2"), "boundary"),
        (("control", "--model", "x", "--window-counts", "floor"), "--window-counts: does nothing in control"),
        (("uniform", "--score", "sparsevit"), "--score: does nothing in uniform"),
        (("saqa", "--score", "nonsense"), "nonsense"),
        (("saqa", "--model", "x", "--high-bits", "3"), "chosen where training begins"),
        (("uniform", "--high-bits", "2"), "not below high_bits 2"),
        (("nonsense",), "nonsense"),
    ],
)
def test_mistakes_are_named(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["qat", *arguments, "-o", "run"]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_not_in_the_way_and_any_other_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that was stopped before its first checkpoint leaves an empty one."""
    nowhere = ["qat", "saqa", "--model", str(tmp_path / "nowhere"), "-o", str(tmp_path / "run")]
    (tmp_path / "run").mkdir()
    assert main(nowhere) == 2
    assert "nowhere" in capsys.readouterr().err  # it came to what it would begin with
    (tmp_path / "run" / "mine").touch()
    assert main(nowhere) == 2
    assert "already exists" in capsys.readouterr().err


def test_a_line_of_progress() -> None:
    step = Progress(10, 100, 640, 6400, 20.0, 32.0, 180.0, 2e-4, 1.23456, 0.5, 400)
    assert progress_line(step) == (
        "640 of 6,400 images, 32.0 images/s, 3 min left; loss 1.235, distillation 0.500, ratio 0.400"
    )


@pytest.mark.full
@pytest.mark.needs("fashion-mnist")
def test_annealing_without_ratios_takes_no_option_of_theirs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ("--images", "8", "--batch", "8", "--threads", "1", "-q")
    assert main(["qat", "uniform", "-o", str(tmp_path / "u"), *common]) == 0
    annealing = ["qat", "annealing", "--model", str(tmp_path / "u" / "model"), "-o", str(tmp_path / "a"), *common]
    assert main([*annealing, "--score", "random"]) == 2
    assert "--score: does nothing in annealing" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
    assert main(annealing) == 0


@pytest.mark.full
@pytest.mark.needs("fashion-mnist")
def test_stages_follow_one_another_and_a_run_goes_on_only_when_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("--images", "16", "--batch", "8", "--threads", "1", "-q")
    first = ["qat", "uniform", "-o", str(tmp_path / "u"), *common]
    assert main([*first, "--stop-after-s", "0"]) == 0
    assert capsys.readouterr().out.startswith("stopped: ")
    assert main(first) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*first, "--resume"]) == 0
    assert capsys.readouterr().out == f"finished: {tmp_path / 'u' / 'model'}\n"
    assert main(["qat", "saqa", "--model", str(tmp_path / "u" / "model"), "-o", str(tmp_path / "s"), *common]) == 0
    ofq = load_quantized(tmp_path / "s" / "model").options.ofq
    assert ofq is not None
    assert ofq.low_branch is LowBranch.TRAINED
