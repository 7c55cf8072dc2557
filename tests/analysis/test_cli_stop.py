"""Ctrl-C and SIGTERM: exit code 130, one word, nothing left behind."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from mixarray_analysis.cli import STOPPED, main

GEMM = ("simulate", "--gemm", "64,64,64", "--bits", "8,4")

pytestmark = pytest.mark.usefixtures("stoppable")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_says_so_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: signal.Signals
) -> None:
    def stopped(*given: object, **named: object) -> None:
        assert list(tmp_path.iterdir()), "a directory was begun"
        signal.raise_signal(number)

    monkeypatch.setattr("mixarray_analysis.simulating.simulate", stopped)
    assert main((*GEMM, "--out", str(tmp_path / "run"))) == STOPPED == 130
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "stopped\n")
    assert list(tmp_path.iterdir()) == []


def test_before_any_command_it_is_the_same(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(**named: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("mixarray_analysis.cli.app", stopped)
    assert main(GEMM) == STOPPED
    assert capsys.readouterr().err == "stopped\n"


def test_a_command_that_ends_by_itself_does_not_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main((*GEMM, "--quiet")) == 0
    assert capsys.readouterr().err == ""
