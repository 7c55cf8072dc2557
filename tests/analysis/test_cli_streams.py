"""What the command line does where its output has nowhere to go, or cannot hold every character."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mixarray_analysis.cli import MISTAKE, PIPE_CLOSED, main
from mixarray_analysis.cli.streams import prepare_streams

FULL = Path("/dev/full")
COMMANDS = (
    ("--help",),
    ("accelerators",),
    ("accelerators", "schema"),
    ("simulate", "--gemm", "8,8,8", "--bits", "8,4", "--json"),
)
"""A help text, a table, more than stdout buffers, and a command that works for its answer."""


def run(*arguments: str, stdout: int, **environment: str) -> tuple[int, str]:
    """Exit code and stderr of the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "mixarray_analysis", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_disk_is_one_line(arguments: tuple[str, ...]) -> None:
    with FULL.open("w") as full:
        code, said = run(*arguments, stdout=full.fileno())
    assert (code, said) == (MISTAKE, "error: output: cannot be written: No space left on device\n")


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_reader_that_went_away_hears_nothing(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run(*arguments, stdout=writer) == (PIPE_CLOSED, "")
    finally:
        os.close(writer)


def test_a_full_disk_below_a_result_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mixarray_analysis.simulating.write_run", full)
    assert main(["simulate", "--gemm", "8,8,8", "--bits", "8,4", "-o", str(tmp_path / "run")]) == MISTAKE
    assert capsys.readouterr().err == "error: output: cannot be written: No space left on device\n"
    assert list(tmp_path.iterdir()) == []


def test_our_own_mistakes_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*given: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "our/own/data.csv")

    monkeypatch.setattr("mixarray_analysis.simulating.report_text", wrong)
    with pytest.raises(FileNotFoundError):
        main(["simulate", "--gemm", "8,8,8", "--bits", "8,4"])


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_json_stays_json_in_every_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with a character beyond 16 bits, and with half of one, as undecodable file names have."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    prepare_streams()
    told = {"name": "µ ü 🐦 \udcff"}
    sys.stdout.write(json.dumps(told, ensure_ascii=False))
    sys.stdout.flush()
    assert json.loads(written.getvalue().decode(encoding)) == told


def test_a_name_that_is_no_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Such a name reaches us with half a character for each byte; no result could be written in its place."""
    out = os.fsdecode(os.fsencode(tmp_path) + b"/r\xff")
    assert main(["simulate", "--gemm", "8,8,8", "--bits", "8,4", "-o", out]) == MISTAKE
    assert r"r\udcff: is not UTF-8 text" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_a_stdout_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["accelerators"]) == 0
