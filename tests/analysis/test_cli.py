"""The command line: exit codes, one line per mistake, nothing left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mixarray_analysis.cli import main

GEMM = ("simulate", "--gemm", "64,64,64", "--bits", "8,4")


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must be refused; returns its one line on stderr."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err


def prints(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must work; returns its stdout."""
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_a_gemm_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    result = json.loads(prints(capsys, *GEMM, "--accelerator", "packed_w4_32x32", "--json"))
    assert result["macs"] == 64**3
    assert result["cycles"] > 0
    assert 0 < result["utilization"] <= 1
    assert result["energy_low_uj"] <= result["energy_uj"] <= result["energy_high_uj"]
    assert sum(entry["cycles"] for entry in result["attribution"]) == result["cycles"]


def test_a_gemm_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    text = prints(capsys, *GEMM)
    assert "GEMM 64x64x64, 8x4 bits to 8 on packed_w4_32x32" in text
    assert "where the cycles went" in text


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert prints(capsys, *GEMM, "--quiet") == ""


def test_set_changes_the_accelerator(capsys: pytest.CaptureFixture[str]) -> None:
    small = json.loads(prints(capsys, *GEMM, "--set", "arrays.0.rows=8", "--json"))
    large = json.loads(prints(capsys, *GEMM, "--json"))
    assert small["accelerator_sha256"] != large["accelerator_sha256"]
    assert small["utilization"] != large["utilization"]


def test_wider_results_write_more_to_dram(capsys: pytest.CaptureFixture[str]) -> None:
    written = {
        bits: json.loads(prints(capsys, *GEMM, *bits, "--json"))["dram_write_bits"]
        for bits in ((), ("--result-bits", "8"), ("--result-bits", "32"))
    }
    assert written[()] == written["--result-bits", "8"] == 64 * 64 * 8
    assert written["--result-bits", "32"] == 64 * 64 * 32


def test_a_run_directory_is_written_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    prints(capsys, *GEMM, "-o", str(out))
    first = {file.name: file.read_bytes() for file in out.iterdir()}
    assert {"run.json", "layers.csv", "layers.parquet", "accelerator.yaml"} <= set(first)
    assert "already exists" in fails(capsys, *GEMM, "-o", str(out))
    prints(capsys, *GEMM, "-o", str(out), "--force")
    assert {file.name: file.read_bytes() for file in out.iterdir()} == first
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_force_never_deletes_what_is_not_ours(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    fails(capsys, *GEMM, "-o", str(tmp_path / "thesis"), "--force")
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("simulate",), "exactly one source"),
        (("simulate", "bundle", "--gemm", "1,1,1"), "exactly one source"),
        (("simulate", "--gemm", "64,64,64"), "--bits"),
        (("simulate", "--gemm", "64,64", "--bits", "8,4"), "--gemm"),
        (("simulate", "nothing", "--bits", "8,4"), "--bits"),
        (("simulate", "nothing", "--result-bits", "8"), "--result-bits"),
        (("simulate", "nothing"), "no such bundle"),
        ((*GEMM, "--accelerator", "packed_w4_32x3"), "did you mean 'packed_w4_32x32'"),
        ((*GEMM, "--set", "arrays.0.row=64"), "arrays.0"),
        ((*GEMM, "--set", "arrays.0.rows=0"), "arrays.0.rows"),
        (("simulate", "--gemm", "8,8,8", "--bits", "16,4"), "16"),
        (("simulate", "--nonsense"), "--nonsense"),
        (("nonsense",), "nonsense"),
        (("inspect", "nothing"), "nothing"),
        (("sweep", "--ratios", "0:0.9:0.1", "-o", "x"), "--ratios"),
        (("sweep", "--ratios", "nan", "-o", "x"), "--ratios"),
        (("sweep", "--accelerator", "a,a", "-o", "x"), "--accelerator"),
        (("sweep",), "--out"),
        (("record", "--ratio", "nan", "-o", "x"), "--ratio"),
        (("record", "--ratio", "0.4", "--model", "swin_t", "-o", "x"), "--weights"),
        (("record", "--ratio", "0.4", "--model", "swin_t", "--weights", "random", "-o", "x"), "--score"),
        (("run", "--ratio", "0.85", "-o", "x"), "--ratio"),
        (("run", "--ratio", "0.4", "--n", "1", "-o", "x"), "--n"),
        (("sweep", "--n", "1", "-o", "x"), "--n"),
        (("evaluate", "--n", "1"), "--n"),
        (("train", "--images-112", "0", "--images-224", "0", "-o", "x"), "no images"),
        (("train", "--resume", "-o", "x"), "no such checkpoint"),
        (("plot", "pie", "x"), "'pie' is not one of 'speedup'"),
        (("plot", "energy", "x"), "no such file or directory"),
        (("accelerators", "show", "nothing"), "no such accelerator"),
        (("accelerators", "new", "mine", "--from", "nothing"), "no such accelerator"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert named in fails(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_accelerators_are_listed_shown_and_started(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    listed = json.loads(prints(capsys, "accelerators", "--json"))
    assert {"packed_w4_32x32", "plain_int8_32x32"} <= {entry["name"] for entry in listed}
    shown = yaml.safe_load(prints(capsys, "accelerators", "show", "plain_int8_32x32", "--set", "clock_mhz=400"))
    assert (shown["name"], shown["clock_mhz"]) == ("plain_int8_32x32", 400)
    assert json.loads(prints(capsys, "accelerators", "schema"))["properties"]["arrays"]
    file = tmp_path / "mine.yaml"
    prints(capsys, "accelerators", "new", "mine", "--from", "packed_w4_32x32", "--out", str(file))
    assert json.loads(prints(capsys, *GEMM, "-a", str(file), "--json"))["accelerator"] == "mine"
    assert "already exists" in fails(
        capsys, "accelerators", "new", "mine", "--from", "packed_w4_32x32", "--out", str(file)
    )


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert prints(capsys, "--version").startswith("mixarray ")
    assert "accelerators" in prints(capsys)


def test_the_module_runs_as_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mixarray_analysis", "plot", "pie", "x"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_own_images_take_neither_n_nor_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--n", "--size"):
        arguments = ["record", "--ratio", "0.4", "--image", "photo.jpg", option, "64", "-o", str(tmp_path / "out")]
        assert "are for drawn canvases" in fails(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []
