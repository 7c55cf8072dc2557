"""`mixarray compare` on runs in their directories, and what it refuses."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from mixarray.result.read import read_run
from mixarray_analysis.cli import main
from mixarray_analysis.comparing_text import COLUMNS


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """One GEMM on the packed and the plain array, and on the plain one with DDR4."""
    place = tmp_path_factory.mktemp("runs")
    machines = (("packed", "packed_w4_32x32", ()), ("plain", "plain_int8_32x32", ()))
    ddr4 = ("ddr4", "plain_int8_32x32", ("--set", "dram_channels.0.type=ddr4"))
    for name, preset, sets in (*machines, ddr4):
        gemm = ["simulate", "--gemm", "64,64,64", "--bits", "4,4", "-a", preset, *sets]
        assert main([*gemm, "-o", str(place / name), "-q"]) == 0
    return str(place / "packed"), str(place / "plain"), str(place / "ddr4")


def test_the_table_and_a_sentence_for_each_pair(runs: tuple[str, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *runs]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text.count("less energy than") == 3
    assert "EDP" in text
    assert "TOPS/W" in text
    assert "worst combination of ends" in text


def test_json_holds_everything(runs: tuple[str, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *runs, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["energy_uj"] for run in found["runs"]] == [read_run(Path(run)).totals.energy_uj for run in runs]
    assert [(pair["first"], pair["second"]) for pair in found["pairs"]] == [
        (runs[0], runs[1]),
        (runs[0], runs[2]),
        (runs[1], runs[2]),
    ]
    nominal = found["pairs"][0]["outcomes"]
    assert {one["kind"] for one in nominal} == {"nominal", "constant", "together", "sensitivity"}
    corner = next(one for one in nominal if one["assumption"] == "worst combination of ends")
    assert corner["ends"]["dram_lpddr4_bit"] in ("low", "high")


def test_the_csv_has_every_outcome_and_equal_bytes(
    runs: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.csv", "two.csv"):
        assert main(["compare", *runs[:2], "-o", str(tmp_path / name), "-q"]) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    rows = list(csv.DictReader((tmp_path / "one.csv").open(encoding="utf-8")))
    assert tuple(rows[0]) == COLUMNS
    assert {row["verdict"] for row in rows} <= {"holds", "flips", "equal"}
    assert {"leakage hp360", "SRAM x1.6", "DRAM high"} <= {row["assumption"] for row in rows}


def test_it_fits_a_terminal_of_80_columns(
    runs: tuple[str, str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names included that are longer than a column; a small energy keeps its digits."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["compare", *runs]) == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)  # headings are bold
    assert max(map(len, text.splitlines())) <= 80
    assert "µJ" in text
    energy_uj = read_run(Path(runs[0])).totals.energy_uj
    assert f"{energy_uj:.3g}" in text


def test_other_tables_are_said_and_not_ranked(
    runs: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, table = str(tmp_path / "7nm"), ("--set", "energy_table=7nm-jouppi")
    assert main(["simulate", "--gemm", "64,64,64", "--bits", "4,4", *table, "-o", other, "-q"]) == 0
    assert main(["compare", runs[0], other]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "so their energies are not comparable" in text
    assert "assumed of both runs" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "needs at least two runs"),
        ((0, 0), "the same run stands twice"),
        ((0, 1, "--force"), "there is no --out"),
    ],
)
def test_arguments_that_compare_nothing(
    runs: tuple[str, str, str], capsys: pytest.CaptureFixture[str], arguments: tuple[int | str, ...], message: str
) -> None:
    given = [one if isinstance(one, str) else runs[one] for one in arguments]
    assert main(["compare", *given]) == 2
    assert message in capsys.readouterr().err


def edited(run: str, place: Path, file: str, old: str, new: str) -> str:
    """A copy of a run with one text replaced."""
    shutil.copytree(run, place)
    text = (place / file).read_text(encoding="utf-8")
    assert old in text
    (place / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return str(place)


def test_a_run_that_was_tampered_with_is_noticed(
    runs: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another count, another accelerator, no accelerator, no run at all."""
    count = next(entry.count for entry in read_run(Path(runs[0])).energy if entry.action == "pe_cycle_4x4")
    more = edited(runs[0], tmp_path / "count", "run.json", f'"count": {count}', f'"count": {count + 100_000}')
    machine = edited(runs[0], tmp_path / "machine", "accelerator.yaml", "lpddr4", "ddr4")
    alone = tmp_path / "alone"
    shutil.copytree(runs[0], alone)
    (alone / "accelerator.yaml").unlink()
    for wrong, message in (
        (more, "simulate it again"),
        (machine, "is not the accelerator of this run"),
        (str(alone), "accelerator.yaml: is missing"),
        (str(tmp_path), "holds no run.json"),
    ):
        assert main(["compare", wrong, runs[1]]) == 2
        assert message in capsys.readouterr().err


def test_what_is_no_run_is_named_for_what_it_is(
    runs: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file, a sweep, a bundle, half a run.json, one that is no text, and nothing at all."""
    for name in ("sweep/runs", "bundle", "half", "binary"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "bundle" / "windows.parquet").touch()
    (tmp_path / "half" / "run.json").write_bytes((Path(runs[0]) / "run.json").read_bytes()[:400])
    (tmp_path / "binary" / "run.json").write_bytes(b"\xff\xfe")
    for wrong, message in (
        (f"{runs[0]}/run.json", "is no directory: give the one that holds run.json"),
        (str(tmp_path / "sweep"), "its runs lie in"),
        (str(tmp_path / "bundle"), "it is a bundle: simulate it first"),
        (str(tmp_path / "half"), "cannot be read as a run: Invalid JSON"),
        (str(tmp_path / "binary"), "it is not UTF-8 text"),
        (str(tmp_path / "nothing"), "no such run directory"),
    ):
        assert main(["compare", runs[1], wrong]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert len(said) < 300


def test_an_existing_file_is_kept(
    runs: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "x.csv"
    kept.write_text("mine")
    assert main(["compare", *runs, "-o", str(kept)]) == 2
    assert "already exists" in capsys.readouterr().err
    assert kept.read_text() == "mine"
    assert main(["compare", *runs, "-o", str(kept), "--force", "-q"]) == 0
    assert kept.read_text().startswith(",".join(COLUMNS))
    before = (Path(runs[0]) / "run.json").read_bytes()
    assert main(["compare", *runs, "-o", f"{runs[0]}/run.json", "--force"]) == 2
    assert "lies in a run" in capsys.readouterr().err
    assert (Path(runs[0]) / "run.json").read_bytes() == before
