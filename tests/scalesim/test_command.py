"""`mixarray simulate --topology`: SCALE-Sim's rule under its own configuration, and our machines."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from mixarray_analysis.cli import main
from mixarray_analysis.scalesim_result import MOST_ROWS
from mixarray_analysis.validation.scalesim.questions import config_text

TOPOLOGY = "Layer, M, N, K,\nqk, 49, 49, 32,\n\nav, 49, 32, 49\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """(topology, configuration)."""
    topology, config = tmp_path / "T.csv", tmp_path / "C.cfg"
    topology.write_text(TOPOLOGY, encoding="utf-8")
    config.write_text(config_text(32, 32, "ws"), encoding="utf-8")
    return str(topology), str(config)


def as_scalesim(files: tuple[str, str], *more: str) -> tuple[str, ...]:
    return ("simulate", "--topology", files[0], "--scalesim-config", files[1], *more)


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_cycles_and_counts_as_json(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers of the golden files: both products of an attention window on 32 x 32."""
    assert main(as_scalesim(files, "--json")) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["timing"], result["dataflow"], result["rows"], result["notes"]) == ("scalesim", "ws", 32, [])
    first, second = result["layers"]
    assert (first["name"], first["m"], first["n"], first["k"]) == ("qk", 49, 49, 32)
    assert [layer["compute_cycles"] for layer in (first, second)] == [285, 285]
    counts = [second[f"sram_{name}"] for name in ("ifmap_reads", "filter_reads", "ofmap_writes")]
    assert counts == [2401, 1568, 3136]
    assert result["totals"]["compute_cycles"] == 570
    assert result["totals"]["macs"] == 2 * 76_832


def test_the_report_that_scripts_read(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(as_scalesim(files, "-o", str(out), "--quiet")) == 0
    assert capsys.readouterr().out == ""
    assert {file.name for file in out.iterdir()} == {"COMPUTE_REPORT.csv", "scalesim.json"}
    text = (out / "COMPUTE_REPORT.csv").read_text()
    assert text.splitlines()[:2] == [
        "LayerID, Total Cycles (incl. prefetch), Total Cycles, Stall Cycles, Overall Util %, Mapping Efficiency %, "
        "Compute Util %,",
        "0, 285, 285, 0, 26.32675438596491, 76.5625, 21.560704022988507,",
    ]
    assert json.loads((out / "scalesim.json").read_text())["config"] == "C.cfg"
    assert str(tmp_path) not in (out / "scalesim.json").read_text()


def test_equal_bytes_twice_and_force_replaces_only_its_own(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(as_scalesim(files, "-o", str(out), "-q")) == 0
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    assert "--force" in fails(capsys, *as_scalesim(files, "-o", str(out)))
    assert main(as_scalesim(files, "-o", str(out), "-q", "--force")) == 0
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "COMPUTE_REPORT.csv").write_text("SCALE-Sim's own")
    assert "not replaced" in fails(capsys, *as_scalesim(files, "-o", str(theirs), "--force"))
    assert (theirs / "COMPUTE_REPORT.csv").read_text() == "SCALE-Sim's own"


def test_what_the_files_ask_for_in_vain_is_said(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    Path(files[0]).write_text("Layer, M, N, K, Sparsity,\na, 3, 4, 8, 2:4,\nb, 3, 4, 8, 1:1,\n")
    Path(files[1]).write_text(config_text(32, 32, "os").replace("CALC", "USER"))
    assert main(as_scalesim(files)) == 0
    shown = capsys.readouterr().out
    assert "note: no stalls are simulated; these settings have no effect: run_presets.InterfaceBandwidth" in shown
    assert "note: sparsity ratios of 1 layer are not used" in shown
    assert "total" in shown


def test_the_same_layers_on_our_machine(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run like any other: every layer an operator, the sums those of the file."""
    out = tmp_path / "run"
    assert main(("simulate", "--topology", files[0], "--bits", "8,4", "--json", "-o", str(out))) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["macs"], result["accelerator"]) == (2 * 76_832, "packed_w4_32x32")
    assert result["source"] == "topology T.csv, 2 layers, 8x4 bits to 8"
    with (out / "layers.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert [int(rows[name]["macs"]) for name in ("qk", "av")] == [76_832, 76_832]
    assert sum(int(row["attributed_cycles"]) for row in rows.values()) == result["cycles"]


def test_one_layer_is_the_gemm(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    Path(files[0]).write_text("Layer, M, N, K,\nlayer, 100, 70, 90,\n")
    found = []
    for source in (("--topology", files[0]), ("--gemm", "100,70,90")):
        machine = ("-a", "plain_int8_32x32", "--set", "arrays.0.weight_loading=single")
        assert main(("simulate", *source, "--bits", "8,8", *machine, "--json")) == 0
        found.append(json.loads(capsys.readouterr().out))
    alike = ("cycles", "energy_uj", "macs", "dram_read_bits", "dram_write_bits", "jobs")
    assert [found[0][key] for key in alike] == [found[1][key] for key in alike]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("bundle",), "exactly one source"),
        (("--gemm", "1,1,1"), "exactly one source"),
        (("--bits", "8,4", "--force"), "--force: replaces the result at --out, and there is no --out"),
        (("--scalesim-config", "C.cfg", "--force"), "--force: replaces"),
        ((), "needs --scalesim-config C.cfg, or --bits"),
        (("--bits", "8,4", "--image", "0"), "--topology: takes neither --image"),
        (("--bits", "8,4", "--uniform", "W4A4"), "--topology: takes neither --image nor --uniform"),
        (("--bits", "16,4"), "16"),
        (("--scalesim-config", "C.cfg", "--bits", "8,4"), "--scalesim-config: describes the machine"),
        (("--scalesim-config", "C.cfg", "-a", "packed_w4_32x32"), "--scalesim-config: describes the machine"),
        (("--scalesim-config", "C.cfg", "--set", "clock_mhz=1"), "--scalesim-config: describes the machine"),
        (("--scalesim-config", "C.cfg", "--result-bits", "8"), "--scalesim-config: describes the machine"),
        (("--scalesim-config", "nothing.cfg"), "nothing.cfg: cannot be read"),
    ],
)
def test_what_does_not_belong_is_refused(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str], more: tuple[str, ...], message: str
) -> None:
    assert message in fails(capsys, "simulate", "--topology", files[0], *more)


def test_a_scalesim_configuration_needs_a_topology(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("simulate", "--gemm", "1,1,1", "--scalesim-config", files[1])
    assert "--scalesim-config: belongs to --topology" in fails(capsys, *arguments)


def test_the_option_that_was_given_is_blamed(capsys: pytest.CaptureFixture[str]) -> None:
    assert fails(capsys, "simulate", "--gemm", "", "--image", "0").startswith("error: --gemm: takes neither")
    assert fails(capsys, "simulate", "--gemm", "", "--bits", "8,4").startswith("error: --gemm: '' is not M,N,K")


def test_a_folder_is_no_topology_and_said_so_once(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    message = fails(capsys, *as_scalesim((".", files[1])))
    assert message == "error: .: cannot be read: Is a directory\n"


@pytest.mark.parametrize("name", ["[/x]", "conv[red]y[/red]", "[bold]x", "smile:smile:"])
def test_names_are_shown_as_they_are(files: tuple[str, str], capsys: pytest.CaptureFixture[str], name: str) -> None:
    Path(files[0]).write_text(f"Layer, M, N, K,\n{name}, 3, 4, 8,\n", encoding="utf-8")
    assert main(as_scalesim(files)) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]] == [name, "total"]


def test_escape_characters_reach_no_terminal(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    Path(files[0]).write_text("Layer, M, N, K,\na\x1b[31mred, 3, 4, 8,\n", encoding="utf-8")
    assert main(as_scalesim(files)) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert r"a\x1b[31mred" in shown
    assert "\x1b" not in fails(capsys, "simulate", "--topology", "\x1b[31m.csv", "--bits", "8,4")


def test_of_very_many_layers_the_table_shows_the_first_and_all_totals(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"layer{number}" for number in range(MOST_ROWS + 1)]
    Path(files[0]).write_text("Layer, M, N, K,\n" + "".join(f"{name}, 49, 49, 32,\n" for name in names))
    assert main(as_scalesim(files, "-o", str(tmp_path / "out"))) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2 : MOST_ROWS + 2]] == names[:-1]
    assert lines[-2].split()[:2] == ["total", f"{285 * len(names):,}"]
    assert lines[-1] == "note: the first 200 of 201 layers are shown; --json and --out have all"
    assert len(json.loads((tmp_path / "out" / "scalesim.json").read_text())["layers"]) == len(names)


def test_a_single_layer_is_no_plural(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    Path(files[0]).write_text("Layer, M, N, K,\nqk, 9, 9, 9,\n")
    assert main(("simulate", "--topology", files[0], "--bits", "8,4", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["source"] == "topology T.csv, 1 layer, 8x4 bits to 8"


def test_a_broken_topology_is_refused_by_line(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(files[0]).write_text(TOPOLOGY + "x, 1, 2,\n")
    assert "T.csv: line 5: has 3 columns" in fails(capsys, *as_scalesim(files, "-o", str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()
