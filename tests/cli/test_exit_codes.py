"""The exit codes that docs/commands.md lists, each one met."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mixarray_analysis.announce import announcer
from mixarray_analysis.cli import MISTAKE, PIPE_CLOSED, STOPPED, main

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
GEMM = ("simulate", "--gemm", "8,8,8", "--bits", "8,4")
NO_MODE_FOR_8_BITS = """schema_version: "1.0"
models: [{shape: swin_t, inputs: [224]}]
accelerators: [packed_w4_32x32]
grid: {ratio: [0]}
set: {"arrays.0.modes": [[4, 4]]}
"""


def test_the_page_lists_them_all() -> None:
    listed = re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(code) for code in listed] == [0, 1, MISTAKE, STOPPED, PIPE_CLOSED]


def test_0_done() -> None:
    assert main([*GEMM, "--quiet"]) == 0


def test_1_points_of_a_sweep_failed(tmp_path: Path) -> None:
    (tmp_path / "SPEC.yaml").write_text(NO_MODE_FOR_8_BITS)
    assert main(["sweep", str(tmp_path / "SPEC.yaml"), "--jobs", "1", "--quiet", "-o", str(tmp_path / "sweep")]) == 1


def test_1_a_check_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    from mixarray_analysis.validation import runner

    def failed(*given: object) -> None:
        given[-1](runner.Finding(given[0][0], error="planted"), 0.0)

    monkeypatch.setattr(runner, "run_checks", failed)
    assert main(["validate", "array_closed_form", "--quiet"]) == 1


@pytest.mark.parametrize(
    "arguments", [("simulate", "nowhere"), ("simulat",), ("simulate", "--gem", "1"), ("plot", "pictures")]
)
def test_2_bad_input_is_one_line(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1


@pytest.mark.usefixtures("stoppable")
def test_130_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixarray_analysis.simulating.simulate", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    assert main(GEMM) == 130


def test_141_the_reader_went_away() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mixarray_analysis", "--help"], stdout=writer, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(("terminal", "quiet", "said"), [(True, False, "$ a\n"), (False, False, ""), (True, True, "")])
def test_commands_are_told_on_a_terminal_alone(
    terminal: bool, quiet: bool, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    announcer(quiet)("a")
    assert capsys.readouterr().out == said
